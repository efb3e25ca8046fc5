"""What other rooms ask about a member."""

from uuid import UUID

from sqlalchemy import select

from kernel import secrets
from kernel.db import db
from members import keys
from members.models import Member


def phone_of(member_id: UUID) -> str:
    """The phone (E.164) that messages to a member go to."""
    sealed = db.session.scalars(select(Member.phone_sealed).where(Member.id == member_id)).one()
    return secrets.unseal(keys.of(member_id), sealed).decode()


def locale_of(member_id: UUID) -> str:
    """The language of messages to a member, `zh-TW` or `en`."""
    return db.session.scalars(select(Member.locale).where(Member.id == member_id)).one()


def time_zone_of(member_id: UUID) -> str:
    """The time zone in which a member's months begin and end (an IANA name)."""
    return db.session.scalars(select(Member.time_zone).where(Member.id == member_id)).one()
