"""Codes on their way out, and challenges that are forgotten."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, delete, select

from kernel import clock, messages, queue
from kernel.db import db
from kernel.outbox import subscriber
from kernel.queue import Duty
from kernel.transaction import again, transaction
from members.models import Challenge
from members.policy import LONGEST_WINDOW, Purpose, code_of
from members.service.challenge import CODE_WANTED, phone_of_challenge

_KEPT = LONGEST_WINDOW + timedelta(hours=1)
_BATCH = 1_000

_TEXTS: dict[Purpose, dict[str, str]] = {
    "sign-in": {
        "zh-TW": "寄杯登入驗證碼 {code}，5 分鐘內有效，請勿告訴任何人。",
        "en": "{code} is your Jibei sign-in code, good for 5 minutes. Tell it to nobody.",
    },
    "card": {
        "zh-TW": "寄杯卡驗證碼 {code}，5 分鐘內有效。只在您於門市申請寄杯卡時，告訴店員。",
        "en": "{code} gets you a Jibei card, good for 5 minutes. Tell it to the clerk only if you"
        " are at the store and asked for a card.",
    },
}


@subscriber(CODE_WANTED, sending=True)
def send_code(
    *, challenge_id: str, now: datetime, dedupe_key: str, purpose: Purpose = "sign-in"
) -> None:
    """Send the code of a challenge, unless it came too late or was used meanwhile."""
    with transaction():
        asked = db.session.get(Challenge, UUID(challenge_id))
    if asked is None or asked.used_at is not None or asked.ends_at <= now:
        return
    text = _TEXTS[purpose][asked.locale].format(code=code_of(asked.id, purpose))
    messages.send(to=phone_of_challenge(asked), text=text, dedupe_key=dedupe_key)


def forget_challenges() -> None:
    """Delete challenges that no limit counts any more: a phone is kept for members only."""
    queue.begun(FORGETTING.job)
    while again(_forget_some):
        pass


def _forget_some() -> int:
    old = _old(clock.now()).limit(_BATCH).with_for_update(skip_locked=True)
    with transaction():
        gone = db.session.scalars(
            delete(Challenge).where(Challenge.id.in_(old)).returning(Challenge.id)
        )
        return len(gone.all())


def _old(now: datetime) -> Select[UUID]:
    return select(Challenge.id).where(Challenge.sent_at < now - _KEPT)


FORGETTING = Duty("members.jobs.forget_challenges", "nightly", _old)
DUTIES = [FORGETTING]
