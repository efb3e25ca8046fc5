"""Where the payment provider tells what happened."""

from flask import request
from marshmallow import fields

import payments
from api.auth import anyone
from api.fields import Schema
from api.refusals import BodyTooLarge
from api.routing import Resource
from kernel import clock
from payments import SignatureInvalid

webhooks = Resource("webhooks", "/v1/webhooks", "Webhooks: for the payment provider only.")


class ReceivedView(Schema):
    """The event is kept; it is worked off later."""

    received = fields.Boolean(required=True, metadata={"description": "Always true."})


@webhooks.post(
    "/stripe",
    guard=anyone,
    answer=ReceivedView,
    refusals=(SignatureInvalid, BodyTooLarge),
    most_bytes=payments.LARGEST_BODY,
)
def receive_event() -> dict[str, bool]:
    """Take an event of the payment provider.

    Signed in the header `Stripe-Signature`, from −300 to +60 seconds. The same event twice is
    kept once.
    """
    payments.receive(
        body=request.get_data(),
        signature=request.headers.get("Stripe-Signature", ""),
        now=clock.now(),
    )
    return {"received": True}
