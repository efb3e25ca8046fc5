"""What goes back to a caller of Stripe's API."""

import json
from dataclasses import dataclass, field
from http import HTTPStatus

from sandbox.errors import StripeError
from sandbox.store import Document


@dataclass
class Answer:
    """A status, a JSON body, and headers besides the usual ones."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def refusal(error: StripeError, request_id: str) -> Answer:
    """A conflict is worth another try, any other refusal is not."""
    error.facts["request_log_url"] = _log_url(request_id)
    again = "true" if error.status == HTTPStatus.CONFLICT else "false"
    return Answer(error.status, encode(error.body()), {"Stripe-Should-Retry": again})


def failure(message: str, request_id: str) -> Answer:
    """A 500, which the library tries again by itself."""
    error = StripeError(message, status=500, type="api_error")
    error.facts["request_log_url"] = _log_url(request_id)
    return Answer(500, encode(error.body()))


def encode(document: Document) -> bytes:
    return json.dumps(document, indent=2).encode()


def _log_url(request_id: str) -> str:
    return f"https://dashboard.stripe.com/test/logs/{request_id}"
