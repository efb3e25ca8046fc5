"""A ticket: who may follow which store, until when, signed by the web and read by the stream.

kind 1 | store 16 | principal 16 | issued 8 | end 4 | MAC 16    = 61 bytes, base64url
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from kernel import secrets

Kind = Literal["device", "office"]

_KINDS: dict[Kind, bytes] = {"device": b"d", "office": b"o"}
_SIGNED, _MAC = 45, 16
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Ticket:
    """Somebody may follow a store: a device, or whoever has an office session, `principal_id`.

    One that was issued before the device was enrolled, as it is now, is of an installation whose
    token and key are worth nothing any more; so is the ticket.
    """

    kind: Kind
    store_id: UUID
    principal_id: UUID
    issued_at: datetime
    ends_at: datetime

    def text(self) -> str:
        """Write it for an address."""
        signed = (
            _KINDS[self.kind]
            + self.store_id.bytes
            + self.principal_id.bytes
            + ((self.issued_at - _EPOCH) // _MICROSECOND).to_bytes(8, "big")
            + int(self.ends_at.timestamp()).to_bytes(4, "big")
        )
        return urlsafe_b64encode(signed + _mac(signed)).decode("ascii").rstrip("=")


def read_ticket(text: str, *, now: datetime) -> Ticket | None:
    """Read a ticket; None for what is none of ours, or over."""
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"==")
    except ValueError:  # UnicodeEncodeError is one
        return None
    signed, mac = raw[:_SIGNED], raw[_SIGNED:]
    if len(raw) != _SIGNED + _MAC or not hmac.compare_digest(mac, _mac(signed)):
        return None
    kind = next(kind for kind, sign in _KINDS.items() if sign == signed[:1])
    ends_at = datetime.fromtimestamp(int.from_bytes(signed[41:], "big"), UTC)
    if ends_at <= now:
        return None
    issued_at = _EPOCH + int.from_bytes(signed[33:41], "big") * _MICROSECOND
    return Ticket(kind, UUID(bytes=signed[1:17]), UUID(bytes=signed[17:33]), issued_at, ends_at)


def _mac(signed: bytes) -> bytes:
    return secrets.mac("stream ticket", signed)[:_MAC]
