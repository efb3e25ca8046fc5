"""Staff signing in: at a till with a PIN, at a desk with a password and a one-time code."""

import hmac
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

import pyotp
from sqlalchemy import select, update

from chain import policy
from chain.errors import FirstPin, SignInRefused, StoreScope
from chain.models import OfficeSession, Shift, Staff
from chain.queries import stores_of
from chain.service import guesses
from chain.service.guesses import Guessing
from kernel import secrets
from kernel.db import db
from kernel.errors import RateLimited
from kernel.ids import new_id


@dataclass(frozen=True, slots=True)
class StaffSignedIn:
    """A fresh shift or office session. Its token is shown this once: the row keeps a digest."""

    id: UUID
    token: str
    staff_id: UUID
    name: str
    role: str
    ends_at: datetime


def start_shift(
    *, device_id: UUID, store_id: UUID, staff_number: str, pin: str, now: datetime
) -> StaffSignedIn | SignInRefused | StoreScope | FirstPin | RateLimited:
    """Let somebody work at an enrolled device of a store, by their own PIN.

    A refusal is answered, not raised: the wrong try that it counts must be committed. A number
    that nobody has takes as long and is answered alike, up to the lock after five; after twenty of
    whatever numbers the device is locked.
    """
    staff = signed_in_by_pin(staff_number, pin, device_id=device_id, now=now)
    if not isinstance(staff, Staff):
        return staff
    if store_id not in stores_of(staff.id):
        return StoreScope()
    if staff.pin_ends_at is not None:
        return FirstPin()
    token = secrets.new_token("shf_")
    started = Shift(
        id=new_id(),
        token_digest=secrets.digest(token),
        device_id=device_id,
        staff_id=staff.id,
        started_at=now,
        ends_at=now + policy.SHIFT_LIVES,
    )
    db.session.add(started)
    return StaffSignedIn(started.id, token, staff.id, staff.name, staff.role, started.ends_at)


def signed_in_by_pin(
    staff_number: str, pin: str, *, device_id: UUID, now: datetime
) -> Staff | SignInRefused | RateLimited:
    """Find who has this number and PIN; a wrong try is counted, so a refusal is answered.

    It counts against the number, wherever it is tried, and against the device, whosever it is.
    There a right one forgets none of the wrong ones, or whoever has a PIN could try everybody's.
    A first PIN, which the desk gave, passes until it ends.
    """
    here = Guessing("pins at device", str(device_id), policy.WRONG_PINS_AT_DEVICE)
    theirs = Guessing("pin", staff_number, policy.WRONG_SECRETS)
    counted_here = guesses.count(here, now=now)
    if counted_here.too_late:
        return counted_here.too_late
    counted = guesses.count(theirs, now=now)
    if counted.too_late:
        return counted.too_late
    staff = _working(staff_number)
    is_right = _fits(staff.pin_hash if staff else None, pin)
    if staff is None or not is_right or _is_over(staff.pin_ends_at, now):
        return counted.if_wrong or counted_here.if_wrong or SignInRefused()
    guesses.take_back(here)
    guesses.forget(theirs)
    return staff


def end_shift(*, shift_id: UUID, now: datetime) -> None:
    """Sign out at a till. Ending a shift again changes nothing."""
    mine = (Shift.id == shift_id, Shift.ended_at.is_(None))
    db.session.execute(update(Shift).where(*mine).values(ended_at=now))


def start_office_session(
    *, staff_number: str, password: str, totp: str, now: datetime
) -> StaffSignedIn | SignInRefused | RateLimited:
    """Let a manager, finance or an admin work at a desk, by password and a one-time code.

    A refusal is answered, not raised, as in `start_shift`. Counting has locked the subject, so
    that of two sign-ins with one code the second finds it used.
    """
    guessing = Guessing("password", staff_number, policy.WRONG_SECRETS)
    counted = guesses.count(guessing, now=now)
    if counted.too_late:
        return counted.too_late
    staff = _working(staff_number)
    is_right = _fits(staff.password_hash if staff else None, password)
    step = _fitting_step(staff, totp, now=now)
    if staff is None or step is None or not is_right:
        return counted.if_wrong or SignInRefused()
    guesses.forget(guessing)
    staff.totp_last_step = step
    token = secrets.new_token("off_")
    started = OfficeSession(
        id=new_id(),
        token_digest=secrets.digest(token),
        staff_id=staff.id,
        started_at=now,
        ends_at=now + policy.office_session_lives(staff.role),
    )
    db.session.add(started)
    return StaffSignedIn(started.id, token, staff.id, staff.name, staff.role, started.ends_at)


def end_office_session(*, session_id: UUID, now: datetime) -> None:
    """Sign out at a desk. Ending a session again changes nothing."""
    mine = (OfficeSession.id == session_id, OfficeSession.ended_at.is_(None))
    db.session.execute(update(OfficeSession).where(*mine).values(ended_at=now))


def seal_totp(secret: str) -> bytes:
    """Seal the secret of somebody's one-time codes for keeping."""
    return secrets.seal(_totp_key(), secret.encode())


def _working(number: str) -> Staff | None:
    theirs = select(Staff).where(Staff.number == number, Staff.disabled_at.is_(None))
    return db.session.scalar(theirs)


def _is_over(ends_at: datetime | None, now: datetime) -> bool:
    return ends_at is not None and ends_at <= now


def _fits(hashed: str | None, secret: str) -> bool:
    """Compare with somebody's hash, or as slowly with nobody's."""
    nobodys = _nobodys_hash()
    return secrets.slow_match(hashed or nobodys, secret) and hashed is not None


@cache
def _nobodys_hash() -> str:
    return secrets.slow_hash(secrets.new_token(""))


def _fitting_step(staff: Staff | None, totp: str, *, now: datetime) -> int | None:
    """The half-minute whose code was given: this one or a neighbour, and not one used before."""
    if staff is None or staff.totp_sealed is None:
        return None
    codes = pyotp.TOTP(secrets.unseal(_totp_key(), staff.totp_sealed).decode())
    present = int(now.timestamp()) // policy.TOTP_STEP_S
    for step in (present - 1, present, present + 1):
        is_right = hmac.compare_digest(codes.generate_otp(step).encode(), totp.encode())
        if is_right and step > staff.totp_last_step:
            return step
    return None


def _totp_key() -> bytes:
    return secrets.key_for("staff one-time codes")
