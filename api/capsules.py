"""Capsules, for where till and phone are both offline, and what tills check them with."""

from base64 import urlsafe_b64encode
from typing import Any

from marshmallow import fields, validate

import redemption
from api.auth import DeviceCaller, MemberCaller, TillCaller, anyone, member, till_or_device
from api.fields import Cups, Id, Integer, Schema, Text, Timestamp
from api.routing import Resource
from kernel import clock
from kernel.errors import NotFound, RateLimited
from redemption import Filled, token
from redemption.errors import ApprovalNeeded, InsufficientCups, WalletBlocked
from redemption.service.capsules import MOST_CUPS

wallet_capsules = Resource(
    "wallet_capsules",
    "/v1/wallet/capsules",
    "Capsules: cups that a phone collects without a network, at a till without one.",
)
capsules = Resource("capsules", "/v1/capsules", "Capsules: what tills must know of them.")
capsule_keys = Resource(
    "capsule_keys", "/v1/capsule-keys", "Capsule keys: what a till checks capsules with."
)


class CapsuleBody(Schema):
    """What is going to be collected, and where."""

    credential_id = Text(
        required=True,
        most=16,
        validate=validate.Regexp(r"^[0-9a-f]{16}(?!\n)$"),
        metadata={
            "description": "Of this phone: 8 bytes in hex.",
            "example": "0001020304050607",
        },
    )
    store_id = Id(
        required=True,
        metadata={"description": "The store, or any of the group in which the capsule is good."},
    )
    cups = Cups(most=MOST_CUPS, required=True, metadata={"description": "At most two."})


class CapsuleView(Schema):
    """A capsule, and the seed that shows it: keep it secret."""

    serial = Text(required=True, metadata={"description": "8 bytes in hex."})
    capsule = Text(
        required=True, metadata={"description": "81 bytes, URL-safe Base64 without padding."}
    )
    seed = Text(required=True, metadata={"description": "32 bytes in hex: keep it secret."})
    step_seconds = Integer(required=True, metadata={"description": "As of a credential."})
    cups = Integer(required=True, metadata={"description": "How many it is good for, together."})
    store_group = Integer(required=True, metadata={"description": "In which stores."})
    issued_at = Timestamp(required=True, metadata={"description": "When it was made."})
    ends_at = Timestamp(required=True, metadata={"description": "A day later, or sooner."})


class CapsuleKeyView(Schema):
    """The public half of a key."""

    id = Integer(required=True, metadata={"description": "As in the capsule's second byte."})
    public_key = Text(
        required=True,
        metadata={"description": "Ed25519, 32 bytes, URL-safe Base64 without padding."},
    )
    starts_at = Timestamp(required=True, metadata={"description": "Capsules made from then on"})
    ends_at = Timestamp(required=True, metadata={"description": "and before then bear it."})


class CapsuleKeysView(Schema):
    """The keys that a till needs now and for at least 90 days."""

    items = fields.List(
        fields.Nested(CapsuleKeyView),
        required=True,
        metadata={"description": "The last one, the present one and the next one."},
    )


class RevokedView(Schema):
    """What a till takes no more."""

    as_of = Timestamp(required=True, metadata={"description": "How fresh the list is."})
    serials = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Of capsules whose end is still ahead, 8 bytes in hex each."},
    )


@wallet_capsules.post(
    "",
    guard=member,
    body=CapsuleBody,
    answer=CapsuleView,
    status=201,
    refusals=(NotFound, InsufficientCups, WalletBlocked, ApprovalNeeded, RateLimited),
)
def issue_capsule(*, caller: MemberCaller, body: dict[str, Any]) -> dict[str, Any]:
    """Fetch, while online, a capsule of one or two cups for where there will be no network.

    A wallet has one at a time, whichever phone asks: while it is good and unused, the same one is
    answered. It ends after a day, when a phone is reported lost, and when cups are given back.
    Ten within a day. A phone that is new may want its owner's approval, as at a till.
    """
    made = redemption.issue_capsule(
        member_id=caller.member_id,
        credential_id=bytes.fromhex(body["credential_id"]),
        store_id=body["store_id"],
        cups=body["cups"],
        now=clock.now(),
        shown_at=clock.common(),
    )
    return _shown(made)


@capsule_keys.get("", guard=anyone, answer=CapsuleKeysView)
def list_capsule_keys() -> dict[str, Any]:
    """Show the keys of the last 90 days, of these and of the next. A till fetches them weekly."""
    keys = token.list_capsule_keys(now=clock.common())
    return {
        "items": [
            {
                "id": key.id,
                "public_key": _text(key.public_key),
                "starts_at": key.starts_at,
                "ends_at": key.ends_at,
            }
            for key in keys
        ]
    }


@capsules.get("/revoked", guard=till_or_device, answer=RevokedView)
def list_revoked_capsules(*, caller: TillCaller | DeviceCaller) -> dict[str, Any]:
    """List what was revoked and has not ended: lost phones, cups given back, blocked wallets.

    A till fetches it whenever it is online, and refuses these when it is not.
    """
    del caller  # at any till
    now = clock.common()
    return {"as_of": now, "serials": [one.hex() for one in redemption.list_revoked(now=now)]}


def _shown(made: Filled) -> dict[str, Any]:
    capsule = made.capsule
    return {
        "serial": capsule.serial.hex(),
        "capsule": _text(made.sealed),
        "seed": made.seed.hex(),
        "step_seconds": token.STEP_S,
        "cups": capsule.cups,
        "store_group": capsule.store_group,
        "issued_at": capsule.issued_at,
        "ends_at": capsule.ends_at,
    }


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
