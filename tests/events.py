"""Events as the payment provider sends them, signed with the secret of the tests."""

import hmac
import json
from datetime import datetime
from hashlib import sha256
from typing import Any

from kernel.ids import new_id

SECRET = "whsec_of_the_tests"


def event(kind: str, ref: str, *, event_id: str | None = None) -> dict[str, Any]:
    """An event that tells of an object; of the object itself it only names the id."""
    return {
        "id": event_id or f"evt_{new_id().hex}",
        "object": "event",
        "type": kind,
        "created": 1_768_363_200,
        "livemode": False,
        "data": {"object": {"id": ref, "object": kind.partition(".")[0]}},
    }


def sealed(body: bytes, *, at: datetime, secret: str = SECRET) -> str:
    """The header Stripe-Signature for a body that is sent at a moment."""
    stamp = str(int(at.timestamp()))
    signature = hmac.new(secret.encode(), f"{stamp}.".encode() + body, sha256).hexdigest()
    return f"t={stamp},v1={signature}"


def signed(what: dict[str, Any], *, at: datetime) -> tuple[bytes, str]:
    """A body and its header."""
    body = json.dumps(what).encode()
    return body, sealed(body, at=at)
