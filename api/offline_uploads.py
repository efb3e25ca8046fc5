"""What tills have served without a network is brought in."""

from base64 import urlsafe_b64decode
from dataclasses import asdict
from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from api.auth import DeviceCaller, TillCaller, till_or_device
from api.fields import Id, Integer, Text
from api.refusals import UploadsBusy
from api.routing import Resource
from api.serving import written
from api.turns import Turns
from kernel import clock
from redemption import offline
from redemption.offline import ALL_REASONS, Line
from redemption.offline.errors import ItemInvalid
from redemption.offline.log import MOST_TEXT

_MOST_ITEMS = 500
_MOST_BYTES = 1024 * 1024
# Two at once in one process are not faster than one after the other, and take twice the memory.
# After an outage all tills bring their logs: of six threads (WEB_THREADS) three are left for scans.
_TURNS = Turns(UploadsBusy, waiting=2)
_PATIENCE_S = 5.0
_SIGNATURE = r"^[A-Za-z0-9_-]{86}(?!\n)$"

offline_uploads = Resource(
    "offline_uploads",
    "/v1/redemptions/batch",
    "Offline uploads: what tills have served without a network.",
)


class LineBody(Schema):
    """A line of a log."""

    item = Text(
        required=True,
        most=MOST_TEXT,
        metadata={"description": "The item's text, letter for letter as it was signed."},
    )
    signature = Text(
        required=True,
        most=86,
        validate=validate.Regexp(_SIGNATURE),
        metadata={
            "description": "Ed25519, of the text's SHA-256, by the device; base64url.",
            "example": "A" * 86,
        },
    )


class UploadBody(Schema):
    """Lines of logs, in any order, of any devices."""

    items = fields.List(
        fields.Nested(LineBody),
        required=True,
        validate=validate.Length(1, _MOST_ITEMS),
        metadata={"description": "At most 500."},
    )


class OutcomeView(Schema):
    """What became of an item."""

    device_id = Id(required=True, metadata={"description": "Whose log it is of."})
    number = Integer(required=True, metadata={"description": "Its number in that."})
    outcome = Text(
        required=True,
        validate=validate.OneOf(("applied", "duplicate", "overdrawn", "review")),
        metadata={"description": "None says that it was not served."},
    )
    earlier = Text(
        required=True,
        allow_none=True,
        validate=validate.OneOf(("applied", "overdrawn", "review")),
        metadata={"description": "Of a duplicate, what became of it; else null."},
    )
    reason = Text(
        required=True,
        allow_none=True,
        validate=validate.OneOf(ALL_REASONS),
        metadata={"description": "Why it is overdrawn, or for a person to look at; else null."},
    )
    redemption_id = Id(
        required=True,
        allow_none=True,
        metadata={"description": "What it took from the wallet; null where nothing."},
    )
    cups = Integer(required=True, metadata={"description": "How many were served."})
    cups_borne = Integer(
        required=True, metadata={"description": "How many of them the chain bears."}
    )


class UploadedView(Schema):
    """What became of each item."""

    items = fields.List(
        fields.Nested(OutcomeView),
        required=True,
        metadata={"description": "In the order of the upload."},
    )


@offline_uploads.post(
    "",
    guard=till_or_device,
    body=UploadBody,
    answer=UploadedView,
    transaction="own",
    most_bytes=_MOST_BYTES,
    refusals=(ItemInvalid, UploadsBusy),
)
def upload_offline(*, caller: TillCaller | DeviceCaller, body: dict[str, Any]) -> Response:
    """Bring in what was served without a network, by any till of the chain.

    Each item counts once, however often and in whatever pieces it is sent, by whom and in which
    order: its device and number are its key. Nothing that was served is rejected. When one item is
    none of ours, nothing is done, and the answer names it. When many come at once, some hear 503
    and send theirs again a little later: scans go first.
    """
    del caller  # whose items these are their signatures say
    lines = [
        Line(line["item"], urlsafe_b64decode(line["signature"] + "==")) for line in body["items"]
    ]
    with _TURNS.one(patience_s=_PATIENCE_S):
        outcomes = offline.upload(lines=lines, now=clock.now())
    return written({"items": [asdict(outcome) for outcome in outcomes]}, 200)
