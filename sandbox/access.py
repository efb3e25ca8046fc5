"""Who is calling: the secret key, or the publishable one as a phone app would."""

import base64
import binascii
import hmac

from sandbox.config import Settings
from sandbox.errors import StripeError

_SHOWN = 4


def is_publishable(authorization: str, settings: Settings) -> bool:
    """Check the key of a request; answers whether it is the publishable one.

    Raises:
        StripeError: no key, or not one of ours (401).
    """
    key = _presented_key(authorization)
    if not key:
        raise StripeError(
            "You did not provide an API key: use bearer or basic authentication.", status=401
        )
    if hmac.compare_digest(key.encode(), settings.api_key.encode()):
        return False
    if hmac.compare_digest(key.encode(), settings.publishable_key.encode()):
        return True
    raise StripeError(f"Invalid API Key provided: ****{key[-_SHOWN:]}", status=401)


def refuse_publishable() -> StripeError:
    return StripeError(
        "This call needs a secret key; a publishable one is not enough.",
        status=401,
        code="secret_key_required",
    )


def _presented_key(authorization: str) -> str:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""
