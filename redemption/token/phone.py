"""The rotating QR of a phone, which may be offline.

    version 1 byte | credential 8 | step 4 (big-endian) | MAC 15     = 28 bytes, Base45, 42 signs

A step is 15 s of Unix time. The MAC is HMAC-SHA256 over the first 13 bytes under the
credential's seed, cut to 15 bytes. The seed is itself derived from the credential's id, so the
server stores none, and garbage is told from a token before anything is looked up.
"""

import hmac
import secrets
from datetime import datetime

from base45 import b45encode

from kernel import secrets as keys
from redemption.token.code import Code

VERSION = b"\x01"
STEP_S = 15
CREDENTIAL_SIZE = 8
STEP_SIZE = 4
MAC_SIZE = 15
OLDEST, NEWEST = -3, 1
"""Which steps are taken, from the server's own: a phone may lag, or lead a little."""

_SIGNED = len(VERSION) + CREDENTIAL_SIZE + STEP_SIZE
SIZE = _SIGNED + MAC_SIZE


def new_credential_id() -> bytes:
    """Eight random bytes, which say nothing about the member."""
    return secrets.token_bytes(CREDENTIAL_SIZE)


def seed_of(credential_id: bytes) -> bytes:
    """The 32-byte seed that a phone keeps to make tokens of this credential."""
    return keys.mac("credential seed", credential_id)


def step_at(now: datetime) -> int:
    """The number of the 15-second step that a moment falls in."""
    return int(now.timestamp()) // STEP_S


def make(*, credential_id: bytes, seed: bytes, step: int) -> str:
    """Make the text of a token, as a phone does, also without a network."""
    signed = VERSION + credential_id + step.to_bytes(STEP_SIZE, "big")
    return b45encode(signed + _mac(seed, signed)).decode("ascii")


def read(raw: bytes) -> Code:
    """Take a token of the right version and size apart."""
    signed, mac = raw[:_SIGNED], raw[_SIGNED:]
    credential_id = signed[1 : 1 + CREDENTIAL_SIZE]
    is_genuine = hmac.compare_digest(mac, _mac(seed_of(credential_id), signed))
    return Code("phone", credential_id, int.from_bytes(signed[-STEP_SIZE:], "big"), is_genuine)


def _mac(seed: bytes, signed: bytes) -> bytes:
    return hmac.digest(seed, signed, "sha256")[:MAC_SIZE]
