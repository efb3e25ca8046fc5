"""The QR of a card, which is printed and stays the same.

    version 1 byte | credential 8 | MAC 15     = 24 bytes, Base45, 36 signs

The MAC is HMAC-SHA256 over the first 9 bytes, cut to 15 bytes, under a key that only the server
has: the seed of a phone, which its owner could read out, makes no card.
"""

import hmac

from base45 import b45encode

from kernel import secrets as keys
from redemption.token.code import Code

VERSION = b"\x02"
MAC_SIZE = 15

_SIGNED = len(VERSION) + 8
SIZE = _SIGNED + MAC_SIZE


def make_card(credential_id: bytes) -> str:
    """Make the text of a card."""
    signed = VERSION + credential_id
    return b45encode(signed + _mac(signed)).decode("ascii")


def read(raw: bytes) -> Code:
    """Take a card of the right version and size apart."""
    signed, mac = raw[:_SIGNED], raw[_SIGNED:]
    is_genuine = hmac.compare_digest(mac, _mac(signed))
    return Code("card", signed[1:], None, is_genuine)


def _mac(signed: bytes) -> bytes:
    return keys.mac("card", signed)[:MAC_SIZE]
