"""Devices: made at a desk, enrolled at the store by a one-time code, revoked when lost."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from chain import policy
from chain.errors import DeviceRevoked
from chain.models import Device, FormerKey
from chain.queries import check_scope, get_store
from chain.service import guesses
from chain.service.guesses import Guessing
from kernel import secrets, spoken
from kernel.db import db
from kernel.errors import NotFound, RateLimited
from kernel.ids import new_id


@dataclass(frozen=True, slots=True)
class NewDevice:
    """A device that waits to be enrolled. The code is shown this once: the row keeps a digest."""

    device: Device
    code: str


@dataclass(frozen=True, slots=True)
class Enrolled:
    """An enrolled device. Its token is shown this once: the row keeps a digest."""

    device: Device
    token: str


def create_device(
    *,
    store_id: UUID,
    name: str,
    channel: str = "counter",
    profile: str = "till",
    staff_id: UUID,
    role: str,
    now: datetime,
) -> NewDevice:
    """Make a device of a store, with the code to enrol it by within an hour.

    What was sold for some channels only is handed over by devices of those. Its `profile` says
    what it may do (`policy.MAY_CALL`).

    Raises:
        NotFound: there is no such store.
        StoreScope: a manager acts on a store that is not theirs.
    """
    check_scope(get_store(store_id).id, staff_id=staff_id, role=role)
    made = Device(id=new_id(), store_id=store_id, name=name, channel=channel, profile=profile)
    code = _give_code(made, now=now)
    db.session.add(made)
    return NewDevice(made, code)


def re_enrol_device(*, device_id: UUID, staff_id: UUID, role: str, now: datetime) -> NewDevice:
    """Give a device a new code: for one without a key, or whose software was set up anew.

    It goes on as it is until the code is used; then its token and key before are worth nothing.

    Raises:
        NotFound: there is no such device.
        StoreScope: a manager acts on a store that is not theirs.
        DeviceRevoked: it was revoked, and stays so.
    """
    device = _locked(device_id, staff_id=staff_id, role=role)
    if device.revoked_at is not None:
        raise DeviceRevoked
    return NewDevice(device, _give_code(device, now=now))


def enrol_device(
    *,
    code: str,
    public_key: bytes,
    software_version: str | None = None,
    address: str,
    now: datetime,
) -> Enrolled | NotFound | RateLimited:
    """Trade an enrolment code for the device's token, once, and keep the key that it signs by.

    A refusal is answered, not raised: the wrong try that it counts must be committed.

    - `NotFound`: the code is unknown, ended, used or revoked. Which of these is not told.
    - `RateLimited`: too many wrong codes came from this address.

    Raises:
        PublicKeyTaken: another device has this key, as the database says; the code stays good.
    """
    guessing = Guessing("enrolment", address, policy.WRONG_ENROLMENTS)
    counted = guesses.count(guessing, now=now)
    if counted.too_late:
        return counted.too_late
    token = secrets.new_token("dev_")
    # The condition, not an earlier look, lets one of two enrolments with a code win. It was used if
    # the device was enrolled since it was made.
    made_at = Device.code_ends_at - policy.ENROLMENT_LIVES
    is_open = (
        Device.code_digest == _digest(spoken.as_typed(code)),
        Device.code_ends_at > now,
        or_(Device.enrolled_at.is_(None), Device.enrolled_at < made_at),
        Device.revoked_at.is_(None),
    )
    _keep_key(is_open, public_key, now=now)
    enrolled = (
        update(Device)
        .where(*is_open)
        .values(
            token_digest=secrets.digest(token),
            public_key=public_key,
            software_version=software_version,
            enrolled_at=now,
            last_seen_at=now,
            clock_skew_ms=None,
        )
        .returning(Device)
    )
    device = db.session.scalar(enrolled)
    if device is None:
        return counted.if_wrong or NotFound()
    guesses.forget(guessing)
    return Enrolled(device, token)


def _keep_key(which: tuple[ColumnElement[bool], ...], public_key: bytes, *, now: datetime) -> None:
    """Keep the key that another is about to replace: what it signed offline may come in yet."""
    replaced = select(Device.id, Device.public_key, literal(now)).where(
        *which, Device.public_key != public_key
    )
    names = ["device_id", "public_key", "ended_at"]
    db.session.execute(insert(FormerKey).from_select(names, replaced).on_conflict_do_nothing())


def revoke_device(*, device_id: UUID, staff_id: UUID, role: str, now: datetime) -> Device:
    """Take a device's rights away, and with them every shift at it. Again changes nothing.

    Raises:
        NotFound: there is no such device.
        StoreScope: a manager acts on a store that is not theirs.
    """
    device = _locked(device_id, staff_id=staff_id, role=role)
    device.revoked_at = device.revoked_at or now
    return device


def hear_from(
    *, device_id: UUID, software_version: str | None, clock_skew_ms: int | None, now: datetime
) -> str | None:
    """Note that a device is there, by which software and clock, once a minute at most.

    What it does not say stays as it said last. Answers what runs on it, as it has told now or the
    last time that it did.
    """
    unseen = or_(Device.last_seen_at.is_(None), Device.last_seen_at <= now - policy.SEEN_EVERY)
    seen: dict[str, datetime | str | int] = {"last_seen_at": now}
    if software_version is not None:
        seen["software_version"] = software_version
    if clock_skew_ms is not None:
        seen["clock_skew_ms"] = clock_skew_ms
    db.session.execute(update(Device).where(Device.id == device_id, unseen).values(**seen))
    told = select(Device.software_version).where(Device.id == device_id)
    return software_version or db.session.scalar(told)


def _give_code(device: Device, *, now: datetime) -> str:
    code = spoken.new_code()
    device.code_digest = _digest(code)
    device.code_ends_at = now + policy.ENROLMENT_LIVES
    return code


def _locked(device_id: UUID, *, staff_id: UUID, role: str) -> Device:
    device = db.session.scalar(select(Device).where(Device.id == device_id).with_for_update())
    if device is None:
        raise NotFound
    check_scope(device.store_id, staff_id=staff_id, role=role)
    return device


def _digest(code: str) -> bytes:
    """Keyed: a code is short, and a plain digest of it could be undone by trying all."""
    return secrets.mac("enrolment code", code.encode())
