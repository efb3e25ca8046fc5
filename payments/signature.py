"""Whether a message is the provider's, and from now.

The library's own check takes a time stamp from any future, reads a clock that cannot be moved,
and breaks on a signature that is not ASCII (https://docs.stripe.com/webhooks#verify-manually).
"""

import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256

_PAST, _FUTURE = timedelta(seconds=300), timedelta(seconds=60)
_LONGEST_HEADER = 4_096
_LONGEST_NUMBER = 12


def is_signed(*, body: bytes, header: str, secrets: Iterable[str], now: datetime) -> bool:
    """Whether any of the secrets signed this body, −300 to +60 seconds from now."""
    if len(header) > _LONGEST_HEADER or not header.isascii():
        return False
    parts = [part.strip().partition("=") for part in header.split(",")]
    stamps = [value for name, _, value in parts if name == "t"]
    signatures = [value for name, _, value in parts if name == "v1"]
    if len(stamps) != 1 or not _is_recent(stamps[0], now):
        return False
    signed = stamps[0].encode() + b"." + body
    expected = [hmac.new(secret.encode(), signed, sha256).hexdigest() for secret in secrets]
    return any(hmac.compare_digest(ours, theirs) for ours in expected for theirs in signatures)


def _is_recent(stamp: str, now: datetime) -> bool:
    if not stamp.isdigit() or len(stamp) > _LONGEST_NUMBER:
        return False
    age_s = now.timestamp() - int(stamp)
    return -_FUTURE.total_seconds() <= age_s <= _PAST.total_seconds()
