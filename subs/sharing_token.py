"""The token of an invitation's link. It is made from the place's id, and kept as a digest only.

    place's id 16 bytes | MAC 16      = 32 bytes, URL-safe Base64 without padding, 43 signs

The MAC is HMAC-SHA256 of the id, cut to 128 bits: nobody makes one up, and the owner is shown the
same link again.
"""

from base64 import urlsafe_b64encode
from uuid import UUID

from kernel import secrets

MAC_SIZE = 16


def make(place_id: UUID) -> str:
    """The token of a place, always the same one."""
    mac = secrets.mac("shared plan token", place_id.bytes)[:MAC_SIZE]
    return urlsafe_b64encode(place_id.bytes + mac).rstrip(b"=").decode("ascii")


def digest(token: str) -> bytes:
    """What a place is found by."""
    return secrets.digest(token)
