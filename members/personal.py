"""What this room holds about a member, and what the outbox told them."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, cast, extract, select

from kernel import secrets
from kernel.db import db
from kernel.outbox import Outbox
from members import keys
from members.holding import Rows, holds, rows_of
from members.models import Member, MemberClock, MemberKey, MemberSession
from members.notices import TOPIC


@holds("profile", tables=("member",))
def profile(member_id: UUID) -> Iterator[dict[str, Any]]:
    """Who they are, opened with their own key. Nothing personal is left once that is erased."""
    member = db.session.get_one(Member, member_id)
    kept = db.session.get(MemberKey, member_id)
    told: dict[str, Any] = {}
    if kept is not None:
        key = keys.opened(kept)
        phone = secrets.unseal(key, member.phone_sealed).decode()
        told = {"phone": phone, **keys.open_profile(key, member.profile_sealed)}
    yield {
        "member_id": member.id,
        **told,
        "locale": member.locale,
        "time_zone": member.time_zone,
        "joined_at": member.joined_at,
    }


@holds("sessions", tables=("member_session",))
def sessions(member_id: UUID) -> Rows:
    """When they signed in, without what proves it."""
    return rows_of(
        select(
            MemberSession.id,
            MemberSession.started_at,
            MemberSession.ends_at,
            MemberSession.ended_at,
        )
        .where(MemberSession.member_id == member_id)
        .order_by(MemberSession.id)
    )


@holds("clock", tables=("member_clock",))
def ahead(member_id: UUID) -> Rows:
    """How far their clock was moved, in the sandbox."""
    seconds = cast(extract("epoch", MemberClock.ahead), Integer).label("seconds_ahead")
    return rows_of(select(seconds).where(MemberClock.member_id == member_id))


@holds("notices", tables=("outbox",))
def notices(member_id: UUID) -> Rows:
    """What they were told, and when. The rest of the outbox is what rooms tell each other."""
    return rows_of(
        select(
            Outbox.facts["notice"].as_string().label("notice"),
            Outbox.created_at.label("promised_at"),
            Outbox.done_at.label("sent_at"),
        )
        .where(Outbox.member_id == member_id, Outbox.topic == TOPIC)
        .order_by(Outbox.id)
    )
