"""Sending a one-time code to a phone."""

from datetime import datetime

from sqlalchemy import select

from kernel import outbox, secrets
from kernel.db import db
from kernel.ids import new_id
from kernel.limits import wait_until
from kernel.turns import take_turn
from members import phones
from members.models import Challenge
from members.policy import CODE_LIVES, LONGEST_WINDOW, Purpose, next_send_at

CODE_WANTED = "sign_in.code_wanted"


def challenge(*, phone: str, locale: str, now: datetime, purpose: Purpose = "sign-in") -> Challenge:
    """Have a fresh code sent to a phone. The answer is the same for phones that nobody has.

    It is good for the one `purpose`, and the text that brings it says for which. Takes the phone's
    turn first, so that many askers at once are sent one code and not many.

    Raises:
        PhoneUnsupported: it is not a Taiwanese mobile number.
        RateLimited: one a minute, five an hour, ten a day.
    """
    number = phones.e164(phone)
    index = phones.index(number)
    take_turn(index)
    _refuse_if_too_often(index, now=now)
    made = Challenge(
        id=new_id(),
        phone_index=index,
        phone_sealed=secrets.seal(_key(), number.encode()),
        locale=locale,
        sent_at=now,
        ends_at=now + CODE_LIVES,
    )
    db.session.add(made)
    outbox.emit(CODE_WANTED, now=now, challenge_id=made.id, purpose=purpose)
    return made


def phone_of_challenge(asked: Challenge) -> str:
    """The phone (E.164) that a challenge went to."""
    return secrets.unseal(_key(), asked.phone_sealed).decode()


def _refuse_if_too_often(index: bytes, *, now: datetime) -> None:
    sent = (
        select(Challenge.sent_at)
        .where(Challenge.phone_index == index, Challenge.sent_at > now - LONGEST_WINDOW)
        .order_by(Challenge.sent_at.desc())
    )
    free_at = next_send_at(db.session.scalars(sent).all())
    if free_at is not None and free_at > now:
        raise wait_until(free_at, now=now)


def _key() -> bytes:
    return secrets.key_for("sign-in phone")
