"""The rules of signing in: how long a code lives, how often one is sent, which one it is."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from kernel import secrets

CODE_LIVES = timedelta(minutes=5)
CODE_TRIES = 5
RESEND_AFTER = timedelta(seconds=60)
SESSION_LIVES = timedelta(days=30)

_SENDS = ((1, RESEND_AFTER), (5, timedelta(hours=1)), (10, timedelta(days=1)))
LONGEST_WINDOW = timedelta(days=1)

_CODES = 1_000_000

Purpose = Literal["sign-in", "card"]
"""What a code is good for: one that is read to a clerk, for a card, signs nobody in."""


def next_send_at(sent_at: Sequence[datetime]) -> datetime | None:
    """When a phone may be sent one more code, given when it was sent the ones before, latest first.

    One a minute, five an hour, ten a day, each window sliding. None means at once.
    """
    frees = [sent_at[times - 1] + window for times, window in _SENDS if len(sent_at) >= times]
    return max(frees, default=None)


def code_of(challenge_id: UUID, purpose: Purpose = "sign-in") -> str:
    """The six digits of a challenge. Derived, so that no table and no queue ever holds them."""
    number = int.from_bytes(secrets.mac(f"{purpose} code", challenge_id.bytes)[:8], "big")
    return f"{number % _CODES:06d}"
