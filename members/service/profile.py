"""What members say about themselves."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from kernel import secrets
from kernel.db import db
from members import keys, phones
from members.models import Member


@dataclass(frozen=True, slots=True)
class Profile:
    """A member as they see themselves. Their phone is shown masked, also to them."""

    member_id: UUID
    phone_masked: str
    name: str | None
    birthday: date | None
    email: str | None
    locale: str
    joined_at: datetime


def get_profile(*, member_id: UUID) -> Profile:
    """A member's own view of themselves."""
    return _profile(db.session.get_one(Member, member_id))


def change_profile(*, member_id: UUID, **changes: Any) -> Profile:
    """Set what is given of name, birthday, email and locale; None takes a thing back.

    Locks the member, so that of two changes at once neither undoes the other.
    """
    mine = select(Member).where(Member.id == member_id).with_for_update()
    member = db.session.scalars(mine).one()
    member.locale = changes.pop("locale", member.locale)
    key = keys.of(member_id)
    told = keys.open_profile(key, member.profile_sealed)
    for name, value in changes.items():
        told[name] = value.isoformat() if isinstance(value, date) else value
    member.profile_sealed = keys.seal_profile(key, told)
    return _profile(member)


def _profile(member: Member) -> Profile:
    key = keys.of(member.id)
    told = keys.open_profile(key, member.profile_sealed)
    birthday = told.get("birthday")
    return Profile(
        member_id=member.id,
        phone_masked=phones.masked(secrets.unseal(key, member.phone_sealed).decode()),
        name=told.get("name"),
        birthday=date.fromisoformat(birthday) if birthday else None,
        email=told.get("email"),
        locale=member.locale,
        joined_at=member.joined_at,
    )
