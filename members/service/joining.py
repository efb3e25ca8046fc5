"""Whoever has a phone is a member from the first time that it is named."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from kernel import secrets
from kernel.db import db
from kernel.ids import new_id
from members import keys, phones
from members.models import Member

_LOCALE = "zh-TW"
_TIME_ZONE = "Asia/Taipei"


def member_of_phone(*, phone: str, now: datetime) -> UUID:
    """Find the member of a phone, or make them, in the caller's transaction.

    For a counter, where somebody says their number: only the phone is needed. It is theirs as soon
    as they sign in with a code that is sent to it.

    Raises:
        PhoneUnsupported: it is not a Taiwanese mobile number.
    """
    member_id, _ = find_or_join(number=phones.e164(phone), locale=_LOCALE, now=now)
    return member_id


def find_or_join(*, number: str, locale: str, now: datetime) -> tuple[UUID, bool]:
    """Find the member of a number (E.164), or make them; answer whether they are new.

    Of two racers the index lets one make them.
    """
    index = phones.index(number)
    is_theirs = Member.phone_index == index
    known = db.session.scalar(select(Member.id).where(is_theirs))
    if known is not None:
        return known, False
    kept, key = keys.make(new_id())
    made = (
        insert(Member)
        .values(
            id=kept.member_id,
            phone_index=index,
            phone_sealed=secrets.seal(key, number.encode()),
            locale=locale,
            time_zone=_TIME_ZONE,
            joined_at=now,
        )
        .on_conflict_do_nothing(index_elements=[Member.phone_index])
        .returning(Member.id)
    )
    if db.session.scalar(made) is None:
        return db.session.scalars(select(Member.id).where(is_theirs)).one(), False
    db.session.add(kept)
    return kept.member_id, True
