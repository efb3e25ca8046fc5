"""Who is asking: the guards that a route may declare, and the callers that they answer.

A token says by its prefix what it is (`mem_`, `shf_`, `dev_`, `off_`); only its digest is stored.
Each guard is one SELECT on the hot road. What comes from a device is signed besides
(`api/signing.py`), and its profile must allow the route (`chain.policy.MAY_CALL`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from flask import request
from psycopg.rows import TupleRow

from api import browser, signing
from api.refusals import CrossSite
from chain import Signed, check_signed
from kernel import clock, hot, secrets
from kernel.errors import Forbidden, Refusal, Unauthenticated
from kernel.ids import NOBODY

Role = Literal["clerk", "manager", "finance", "admin"]


@dataclass(frozen=True, slots=True)
class MemberCaller:
    """A shopper in a signed-in app or browser."""

    member_id: UUID
    session_id: UUID

    @property
    def principal_id(self) -> UUID:
        return self.member_id


@dataclass(frozen=True, slots=True)
class TillCaller:
    """A clerk or manager at a till, during a shift."""

    shift_id: UUID
    device_id: UUID
    store_id: UUID
    staff_id: UUID
    role: str

    @property
    def principal_id(self) -> UUID:
        return self.device_id


@dataclass(frozen=True, slots=True)
class TillToken:
    """The digest of a shift's token, not looked up yet: the hot read does that itself.

    `signed` is not checked yet either, since that takes the device's key: `chain.check_signed`. A
    `Key` of this caller names NOBODY until the read has said which device it is:
    `dataclasses.replace(key, principal_id=device_id)`.
    """

    digest: bytes
    signed: Signed

    @property
    def principal_id(self) -> UUID:
        return NOBODY


@dataclass(frozen=True, slots=True)
class DeviceCaller:
    """An enrolled device at which nobody has to be signed in."""

    device_id: UUID
    store_id: UUID
    profile: str

    @property
    def principal_id(self) -> UUID:
        return self.device_id


@dataclass(frozen=True, slots=True)
class OfficeCaller:
    """Finance, a manager or an admin at a desk, in a session that `ends_at`."""

    staff_id: UUID
    role: str
    session_id: UUID
    ends_at: datetime

    @property
    def principal_id(self) -> UUID:
        return self.staff_id


Caller = MemberCaller | TillCaller | TillToken | DeviceCaller | OfficeCaller


@dataclass(frozen=True, slots=True)
class Guard:
    """Who may call a route. `identify` answers the caller or refuses; `schemes` for the docs."""

    name: str
    identify: Callable[[], Caller | None]
    schemes: tuple[str, ...] = ()
    refusals: tuple[type[Refusal], ...] = ()
    roles: tuple[str, ...] = field(default=())

    @property
    def is_open(self) -> bool:
        """Whether everybody may call, so that views are given no caller."""
        return not self.schemes

    @property
    def has_principal(self) -> bool:
        """Whether the caller is known by id before the view runs."""
        return not self.is_open and self.name != "till_token"


def _member() -> MemberCaller:
    token = _bearer()
    if token is None:
        token = browser.session_token()
        browser.refuse_cross_site(token)
    return MemberCaller(*_found(_MEMBER, _digest("mem_", token)))


def _till() -> TillCaller:
    signed, token = signing.presented(), _bearer()
    *who, public_key, profile = _found(_TILL, _digest("shf_", token))
    caller = TillCaller(*who)
    check_signed(signed, device_id=caller.device_id, public_key=public_key, profile=profile)
    return caller


def _till_token() -> TillToken:
    return TillToken(_digest("shf_", _bearer()), signing.presented())


def _device() -> DeviceCaller:
    signed, token = signing.presented(), _bearer()
    device_id, store_id, public_key, profile = _found(_DEVICE, _digest("dev_", token))
    check_signed(signed, device_id=device_id, public_key=public_key, profile=profile)
    return DeviceCaller(device_id, store_id, profile)


def _till_or_device() -> TillCaller | DeviceCaller:
    is_of_shift = (_bearer() or "").startswith("shf_")
    return _till() if is_of_shift else _device()


def office(*roles: Role) -> Guard:
    """Let somebody in at a desk, in one of these roles."""

    def identify() -> OfficeCaller:
        caller = OfficeCaller(*_found(_OFFICE, _digest("off_", _bearer())))
        if caller.role not in roles:
            raise Forbidden
        return caller

    return Guard(
        "office", identify, ("office",), (Unauthenticated, Forbidden), tuple(sorted(roles))
    )


anyone = Guard("anyone", lambda: None)
member = Guard("member", _member, ("member", "browser"), (Unauthenticated, CrossSite))
_REFUSE_DEVICE = (Unauthenticated, Forbidden)
till = Guard("till", _till, ("till",), _REFUSE_DEVICE)
till_token = Guard("till_token", _till_token, ("till",), _REFUSE_DEVICE)
device = Guard("device", _device, ("device",), _REFUSE_DEVICE)
till_or_device = Guard("till_or_device", _till_or_device, ("till", "device"), _REFUSE_DEVICE)

_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE | re.ASCII)
_TOKEN = re.compile(r"[a-z]{3}_[A-Za-z0-9_-]{43}", re.ASCII)

_MEMBER = """
    SELECT member_id, id FROM member_session
    WHERE token_digest = %(digest)s AND ended_at IS NULL AND ends_at > %(now)s
"""
_TILL = """
    SELECT shift.id, device.id, device.store_id, staff.id, staff.role,
           device.public_key, device.profile
    FROM shift
    JOIN device ON device.id = shift.device_id
    JOIN staff ON staff.id = shift.staff_id
    WHERE shift.token_digest = %(digest)s AND shift.ended_at IS NULL AND shift.ends_at > %(now)s
      AND device.revoked_at IS NULL AND staff.disabled_at IS NULL
"""
_DEVICE = """
    SELECT id, store_id, public_key, profile FROM device
    WHERE token_digest = %(digest)s AND revoked_at IS NULL AND enrolled_at <= %(now)s
"""
_OFFICE = """
    SELECT staff.id, staff.role, office_session.id, office_session.ends_at
    FROM office_session JOIN staff ON staff.id = office_session.staff_id
    WHERE office_session.token_digest = %(digest)s AND office_session.ended_at IS NULL
      AND office_session.ends_at > %(now)s AND staff.disabled_at IS NULL
"""


def _bearer() -> str | None:
    header = request.environ.get("HTTP_AUTHORIZATION")
    if header is None:
        return None
    found = _BEARER.fullmatch(header)
    if found is None:
        raise Unauthenticated
    return found[1]


def _digest(prefix: str, token: str | None) -> bytes:
    if token is None or not token.startswith(prefix) or not _TOKEN.fullmatch(token):
        raise Unauthenticated
    return secrets.digest(token)


def _found(statement: str, digest: bytes) -> TupleRow:
    params: dict[str, Any] = {"digest": digest, "now": clock.now()}
    row = hot.read(statement, params)
    if row is None:
        raise Unauthenticated
    return row
