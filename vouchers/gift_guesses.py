"""Slowing down whoever makes up tokens of gifts, although 128 bits are not guessed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from chain.models import Guess
from chain.policy import LOCKED_FOR
from kernel import hot, secrets
from kernel.db import db
from kernel.limits import wait_until
from vouchers import gift_token
from vouchers.gift_errors import GiftNotFound

MOST_WRONG = 20

# In a transaction of its own: the refusal undoes the one that is open, and must not undo this.
_COUNT = """
INSERT INTO guess (subject, failures, failed_at) VALUES (%(subject)s, 1, %(now)s)
ON CONFLICT (subject) DO UPDATE
SET failures = CASE WHEN guess.failed_at > %(in_a_row_since)s THEN guess.failures + 1 ELSE 1 END,
    failed_at = %(now)s
RETURNING 1
"""


def opened(token: str, *, member_id: UUID, now: datetime) -> UUID:
    """Answer the gift that a token is of. A made-up one is counted against who sent it.

    Raises:
        GiftNotFound: it is none of ours.
        RateLimited: the member has sent 20 such within 15 minutes; then no token is looked at.
    """
    subject = secrets.mac("guesses of gift token", member_id.bytes)
    _refuse_guesser(subject, now)
    gift_id = gift_token.find_id(token)
    if gift_id is not None:
        return gift_id
    if gift_token.has_form(token):
        since = now - LOCKED_FOR
        hot.rows(_COUNT, {"subject": subject, "now": now, "in_a_row_since": since})
    raise GiftNotFound


def _refuse_guesser(subject: bytes, now: datetime) -> None:
    known = db.session.execute(
        select(Guess.failures, Guess.failed_at).where(Guess.subject == subject)
    ).one_or_none()
    if known is not None and known.failures >= MOST_WRONG and known.failed_at > now - LOCKED_FOR:
        raise wait_until(known.failed_at + LOCKED_FOR, now=now)
