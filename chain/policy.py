"""The chain's rules: local days, what devices may call, how long a sign-in lasts."""

import re
import secrets
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ENROLMENT_LIVES = timedelta(hours=1)
SHIFT_LIVES = timedelta(hours=12)
FIRST_PIN_LIVES = timedelta(hours=24)
MANAGER_SESSION_LIVES = timedelta(hours=8)
OFFICE_SESSION_LIVES = timedelta(hours=1)

AT_TILLS = ("clerk", "manager")

WRONG_SECRETS = 5
WRONG_PINS_AT_DEVICE = 20
"""Of whatever numbers: who tries a few PINs of everybody is stopped, too, with a PIN or without."""
WRONG_ENROLMENTS = 20
LOCKED_FOR = timedelta(minutes=15)

TOTP_STEP_S = 30

SEEN_EVERY = timedelta(minutes=1)

_SHOW = frozenset({"day_sheets.count_today", "heartbeats.beat", "streams.follow_own_store"})
_HAND_OVER = _SHOW | {
    "shifts.start_shift",
    "shifts.end_shift",
    "staff.choose_pin",
    "redemptions.redeem",
    "redemptions.get_redemption",
    "redemptions.void",
    "validations.validate",
    "capsules.list_revoked_capsules",
    "offline_uploads.upload_offline",
}
_SERVE_ALL = _HAND_OVER | {
    "shifts.show_total",
    "shifts.close_shift",
    "counter_orders.sell",
    "counter_orders.get_counter_order",
    "counter_orders.pay_counter_order",
    "cards_at_tills.ask_for_card",
    "cards_at_tills.issue_card_at_till",
    "cash_repayments.list_cash_repayments",
    "cash_repayments.hand_out",
}
MAY_CALL: Mapping[str, frozenset[str]] = {
    "till": _SERVE_ALL,
    "scanner": _HAND_OVER,
    "screen": _SHOW,
}
"""Profile → the routes that devices of it may call, with their own token or a shift's; no other."""

_VERSION = re.compile(r"\d+(?:\.\d+)*")


def local_day(at: datetime, *, time_zone: str) -> date:
    """The calendar day of a moment in a time zone."""
    return at.astimezone(ZoneInfo(time_zone)).date()


def business_day(at: datetime, *, time_zone: str, day_ends_at: time) -> date:
    """The business day of a moment, by the clock on the wall: it ends on the next calendar day."""
    on_the_wall = at.astimezone(ZoneInfo(time_zone)).replace(tzinfo=None)
    late = timedelta(hours=day_ends_at.hour, minutes=day_ends_at.minute, seconds=day_ends_at.second)
    return (on_the_wall - late).date()


def office_session_lives(role: str) -> timedelta:
    """How long somebody stays signed in at a desk. Who moves money or prices, an hour."""
    return MANAGER_SESSION_LIVES if role == "manager" else OFFICE_SESSION_LIVES


def is_outdated(version: str | None, *, least: str | None) -> bool:
    """Whether a device's software is older than the chain wants: by its numbers, 1.10 after 1.9."""
    return version is not None and least is not None and _numbers(version) < _numbers(least)


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers that a version begins with. `1.2` is `1.2.0`."""
    found = _VERSION.match(version)
    numbers = [int(part) for part in found[0].split(".")] if found else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def first_pin() -> str:
    """Six digits for somebody's first PIN, to be replaced by their own."""
    return f"{secrets.randbelow(1_000_000):06d}"


def is_guessable(pin: str) -> bool:
    """Whether a PIN is among those that everybody tries: one digit six times, or a run of them."""
    return len(set(pin)) == 1 or any(pin in run for run in _RUNS)


_RUNS = ("01234567890", "09876543210")
