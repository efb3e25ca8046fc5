"""The keys that capsules are signed with: one for each 90 days, derived, so nowhere kept.

A window is 90 days of Unix time. Its key's id is the last byte of its number, which a window bears
again after 63 years. Tills hold the other halves, of this window and its neighbours.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from kernel import secrets as keys

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

WINDOW_S = 90 * 24 * 3600
_IDS = 256


@dataclass(frozen=True, slots=True)
class CapsuleKey:
    """What a till checks capsules with that were made in [starts_at, ends_at)."""

    id: int
    public_key: bytes
    starts_at: datetime
    ends_at: datetime


def window_at(at: datetime) -> int:
    """The number of the window that a moment falls in."""
    return int(at.timestamp()) // WINDOW_S


def id_of_window(window: int) -> int:
    """The id of a window's key, one byte."""
    return window % _IDS


def signature(signed: bytes, *, window: int) -> bytes:
    """The signature (Ed25519, 64 bytes) under a window's key: the same bytes each time."""
    return _private(window).sign(signed)


def list_capsule_keys(*, now: datetime) -> list[CapsuleKey]:
    """The keys of the last window, of this one and of the next."""
    this = window_at(now)
    return [_published(window) for window in (this - 1, this, this + 1)]


def _published(window: int) -> CapsuleKey:
    return CapsuleKey(
        id=id_of_window(window),
        public_key=_private(window).public_key().public_bytes_raw(),
        starts_at=datetime.fromtimestamp(window * WINDOW_S, UTC),
        ends_at=datetime.fromtimestamp((window + 1) * WINDOW_S, UTC),
    )


@cache
def _private(window: int) -> "Ed25519PrivateKey":
    # Where it is used: it brings OpenSSL along, which most workers never need.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PrivateKey,
    )

    return Ed25519PrivateKey.from_private_bytes(keys.key_for(f"capsule key {window}"))
