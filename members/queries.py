"""What other rooms ask about a member."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from sqlalchemy import select

from kernel import secrets
from kernel.db import db
from kernel.wording import Language
from members import keys
from members.models import Member, MemberKey


@dataclass(frozen=True, slots=True, repr=False)
class Reachable:
    """How a member is told something. It does not show itself, so that no log can hold it."""

    phone: str
    email: str | None
    locale: Language
    time_zone: str


def find_reachable(member_id: UUID) -> Reachable | None:
    """How to reach a member; None once they are gone."""
    member = db.session.get(Member, member_id)
    kept = db.session.get(MemberKey, member_id)
    if member is None or kept is None:
        return None
    key = keys.opened(kept)
    return Reachable(
        phone=secrets.unseal(key, member.phone_sealed).decode(),
        email=keys.open_profile(key, member.profile_sealed).get("email"),
        locale=cast("Language", member.locale),
        time_zone=member.time_zone,
    )


def phone_of(member_id: UUID) -> str:
    """The phone (E.164) that messages to a member go to."""
    sealed = db.session.scalars(select(Member.phone_sealed).where(Member.id == member_id)).one()
    return secrets.unseal(keys.of(member_id), sealed).decode()


def locale_of(member_id: UUID) -> str:
    """The language of messages to a member, `zh-TW` or `en`."""
    return db.session.scalars(select(Member.locale).where(Member.id == member_id)).one()


def time_zone_of(member_id: UUID) -> str:
    """The time zone in which a member's months begin and end (an IANA name)."""
    return time_zones_of([member_id])[member_id]


def time_zones_of(member_ids: Collection[UUID]) -> Mapping[UUID, str]:
    """The same of many, by their ids."""
    theirs = select(Member.id, Member.time_zone).where(Member.id.in_(set(member_ids)))
    return {row.id: row.time_zone for row in db.session.execute(theirs)}
