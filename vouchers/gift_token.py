"""The token of a gift's link: what is in it, and whether one is genuine.

    gift's id 16 bytes | MAC 16      = 32 bytes, URL-safe Base64 without padding, 43 signs

The MAC is HMAC-SHA256 of the id, cut to 128 bits. So no table holds what could be claimed with,
and a made-up token is told from a genuine one before anything is looked up.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

from kernel import secrets

MAC_SIZE = 16

_ID_SIZE = 16
_FORM = re.compile(r"[A-Za-z0-9_-]{43}")


def make(gift_id: UUID) -> str:
    """The token of a gift, always the same one."""
    mac = secrets.mac("gift token", gift_id.bytes)[:MAC_SIZE]
    return urlsafe_b64encode(gift_id.bytes + mac).rstrip(b"=").decode("ascii")


def has_form(text: str) -> bool:
    """Whether a text could be a token; what could not is no guess either."""
    return _FORM.fullmatch(text) is not None


def find_id(token: str) -> UUID | None:
    """The gift that a token is of, or None for what is no token of ours."""
    if not has_form(token):
        return None
    gift_id = UUID(bytes=urlsafe_b64decode(token + "=")[:_ID_SIZE])
    # The whole text is compared: Base64 has several spellings of some bytes, and only one is ours.
    return gift_id if hmac.compare_digest(token, make(gift_id)) else None
