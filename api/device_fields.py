"""What devices tell of themselves, as it stands in bodies."""

from base64 import urlsafe_b64decode
from typing import Any

from marshmallow import validate

from api.fields import Text

_KEY = r"^[A-Za-z0-9_-]{43}(?!\n)$"
_VERSION = r"^[0-9]{1,9}(\.[0-9]{1,9}){0,3}([-+][A-Za-z0-9.+-]{1,30})?(?!\n)$"


class PublicKey(Text):
    """The public half of an Ed25519 key: its 32 bytes in base64url, without padding."""

    def __init__(self, **options: Any) -> None:
        error = "Give 32 bytes in base64url, without padding."
        super().__init__(most=43, validate=validate.Regexp(_KEY, error=error), **options)


def key_bytes(text: str) -> bytes:
    """The 32 bytes of a `PublicKey`."""
    return urlsafe_b64decode(f"{text}=")


class SoftwareVersion(Text):
    """A version that begins with its numbers: `2.1.0`, `2.1.0-beta.3`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(most=80, validate=validate.Regexp(_VERSION), **options)
