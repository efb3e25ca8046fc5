"""The chain's rules: local days, enrolment codes, how long a sign-in lasts."""

import secrets
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

ENROLMENT_LIVES = timedelta(hours=1)
SHIFT_LIVES = timedelta(hours=12)
MANAGER_SESSION_LIVES = timedelta(hours=8)
OFFICE_SESSION_LIVES = timedelta(hours=1)

WRONG_SECRETS = 5
WRONG_ENROLMENTS = 20
LOCKED_FOR = timedelta(minutes=15)

TOTP_STEP_S = 30

_UNAMBIGUOUS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_LENGTH = 8


def local_day(at: datetime, *, time_zone: str) -> date:
    """The calendar day of a moment in a time zone."""
    return at.astimezone(ZoneInfo(time_zone)).date()


def new_enrolment_code() -> str:
    """Eight characters that nobody mistakes for another when read aloud or typed (39 bits)."""
    return "".join(secrets.choice(_UNAMBIGUOUS) for _ in range(_CODE_LENGTH))


def as_typed(code: str) -> str:
    """What a typed enrolment code stands for: case, spaces and hyphens do not matter."""
    return code.upper().replace(" ", "").replace("-", "")


def office_session_lives(role: str) -> timedelta:
    """How long somebody stays signed in at a desk. Who moves money or prices, an hour."""
    return MANAGER_SESSION_LIVES if role == "manager" else OFFICE_SESSION_LIVES
