"""The token of a link by which a member says that it was not them who collected.

    redemption's id 16 bytes | MAC 16      = 32 bytes, URL-safe Base64 without padding, 43 signs

The MAC is HMAC-SHA256 of the id, cut to 128 bits. The link is in the notice of each redemption and
needs no sign-in: whoever has it can end the member's codes, and nothing else.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

from kernel import secrets

MAC_SIZE = 16

_ID_SIZE = 16
_FORM = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def make(redemption_id: UUID) -> str:
    """The token of a redemption, always the same one."""
    mac = secrets.mac("disown token", redemption_id.bytes)[:MAC_SIZE]
    return urlsafe_b64encode(redemption_id.bytes + mac).rstrip(b"=").decode("ascii")


def find_id(token: str) -> UUID | None:
    """The redemption that a token is of, or None for what is no token of ours."""
    if not _FORM.fullmatch(token):
        return None
    redemption_id = UUID(bytes=urlsafe_b64decode(token + "=")[:_ID_SIZE])
    return redemption_id if hmac.compare_digest(token, make(redemption_id)) else None
