"""A capsule: cups that till and phone can settle on with neither of them online.

    version 1 byte | key id 1 | serial 8 | cups 1 | store group 2 | end 4      signed:   17
    Ed25519 signature of these by the chain 64                                 capsule:  81
    step 4 | MAC 8                                                             shown:    93

Numbers are big-endian, the end is in seconds of Unix time. The phone fetches the capsule while it
is online, and adds the step in which it shows it and a MAC: HMAC-SHA256 over the 85 bytes before,
under the capsule's seed, cut to 8 bytes. The till checks the signature; the MAC, which tells a
phone that has the capsule from a photograph of it, is checked by the server. Base45, 140 signs.
"""

import hmac
from datetime import UTC, datetime

from base45 import b45encode

from kernel import secrets as keys
from redemption.token.capsule_keys import id_of_window, signature, window_at
from redemption.token.code import Code, Sealed

VERSION = b"\x03"
SERIAL_SIZE = 8
SIGNATURE_SIZE = 64
STEP_SIZE = 4
MAC_SIZE = 8

_SIGNED = len(VERSION) + 1 + SERIAL_SIZE + 1 + 2 + 4
CAPSULE_SIZE = _SIGNED + SIGNATURE_SIZE
_SHOWN = CAPSULE_SIZE + STEP_SIZE
SIZE = _SHOWN + MAC_SIZE


def capsule_seed(serial: bytes) -> bytes:
    """The 32-byte seed that a phone keeps to show this capsule."""
    return keys.mac("capsule seed", serial)


def make_capsule(
    *, serial: bytes, cups: int, store_group: int, issued_at: datetime, ends_at: datetime
) -> bytes:
    """The 81 bytes that a phone fetches: the same each time they are made of the same."""
    window = window_at(issued_at)
    signed = b"".join(
        (
            VERSION,
            id_of_window(window).to_bytes(1, "big"),
            serial,
            cups.to_bytes(1, "big"),
            store_group.to_bytes(2, "big"),
            int(ends_at.timestamp()).to_bytes(4, "big"),
        )
    )
    return signed + signature(signed, window=window)


def show_capsule(*, capsule: bytes, seed: bytes, step: int) -> str:
    """Make the text that a phone shows of a capsule in a step."""
    shown = capsule + step.to_bytes(STEP_SIZE, "big")
    return b45encode(shown + _mac(seed, shown)).decode("ascii")


def read(raw: bytes) -> Code:
    """Take a capsule of the right version and size apart."""
    signed, signed_by, shown, mac = (
        raw[:_SIGNED],
        raw[_SIGNED:CAPSULE_SIZE],
        raw[:_SHOWN],
        raw[_SHOWN:],
    )
    serial = signed[2 : 2 + SERIAL_SIZE]
    sealed = Sealed(
        serial=serial,
        key_id=signed[1],
        cups=signed[10],
        store_group=int.from_bytes(signed[11:13], "big"),
        ends_at=datetime.fromtimestamp(int.from_bytes(signed[13:17], "big"), UTC),
        step=int.from_bytes(shown[CAPSULE_SIZE:], "big"),
    )
    is_shown = hmac.compare_digest(mac, _mac(capsule_seed(serial), shown))
    is_signed = hmac.compare_digest(signed_by, signature(signed, window=_window_of(sealed)))
    return Code("capsule", serial, None, is_shown and is_signed, sealed)


def _window_of(sealed: Sealed) -> int:
    """In which window it was made: the one that its end falls in, or, at its start, the last."""
    window = window_at(sealed.ends_at)
    return window if id_of_window(window) == sealed.key_id else window - 1


def _mac(seed: bytes, shown: bytes) -> bytes:
    return hmac.digest(seed, shown, "sha256")[:MAC_SIZE]
