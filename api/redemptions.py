"""Cups handed over at a store's till, and taken back."""

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields, validate

import redemption
from api.auth import TillCaller, TillToken, till, till_token
from api.fields import Integer, MoneyField, Name
from api.idempotency import mark_replayed
from api.redemption_views import (
    RedeemedView,
    RedemptionView,
    WordsView,
    given_back,
    shown,
    viewed,
)
from api.routing import Resource
from api.scans import MOST_DRINKS, REFUSALS, ScanBody, in_wallets_time, scan_of
from api.serving import written
from api.voided_items import VoidedItemBody, cups_by_product
from chain import StoreScope
from kernel import clock
from kernel.errors import Refusal
from kernel.idempotency import Key, KeyReused
from redemption.errors import (
    AlreadyVoided,
    NotSoManyTaken,
    OwnWallet,
    VoidTooLate,
)

redemptions = Resource(
    "redemptions", "/v1/redemptions", "Redemptions: cups handed over at a store."
)


@redemptions.post(
    "",
    guard=till_token,
    body=ScanBody,
    answer=RedeemedView,
    status=201,
    idempotency="domain",
    transaction="own",
    refusals=(*REFUSALS, KeyReused),
)
def redeem(*, caller: TillToken, body: dict[str, Any], key: Key) -> Response:
    """Hand over cups at a store.

    The soonest to end go first, those that cost a top-up last. A retry with the same key hears the
    same answer and takes no cup twice, also after the code has grown old or the redemption was
    voided. Where a drink costs a top-up, collect it and scan again, under a new key; so also when
    the member has approved what needed it.
    """
    scan = scan_of(caller, body, key=key.key, fingerprint=key.fingerprint)
    try:
        with in_wallets_time(lambda: redemption.find_wallet(scan.code)):
            redeemed = redemption.redeem(scan=scan, now=clock.now())
    except Refusal as refusal:
        if refusal.is_replayed:
            mark_replayed()
        raise
    if redeemed.is_replayed:
        mark_replayed()
    return written(shown(redeemed), 201)  # plain already: the hot path dumps no schema


@redemptions.get("/<uuid:redemption_id>", guard=till, answer=RedemptionView)
def get_redemption(*, caller: TillCaller, redemption_id: UUID) -> dict[str, Any]:
    """Look at a redemption of this store."""
    return viewed(redemption.get_redemption(redemption_id=redemption_id, store_id=caller.store_id))


class GivenBackView(Schema):
    """What this void gave back."""

    cups = Integer(required=True, metadata={"description": "How many cups."})
    top_up = MoneyField(
        required=True, metadata={"description": "What the till gives back to the shopper."}
    )


class VoidedView(RedemptionView):
    """A redemption as it stands after a void, and what that gave back."""

    given_back = fields.Nested(
        GivenBackView, required=True, metadata={"description": "By this void."}
    )
    words = fields.Nested(WordsView, required=True, metadata={"description": "The same in words."})


class VoidBody(Schema):
    """What shall be undone, and why; nothing said, all of it."""

    items = fields.List(
        fields.Nested(VoidedItemBody),
        load_default=None,
        allow_none=True,
        validate=validate.Length(1, MOST_DRINKS),
        metadata={"description": "Which cups of it; all that is left where it is left out."},
    )
    reason = Name(
        load_default=None,
        allow_none=True,
        most=200,
        metadata={"description": "Why, for the store's day sheet."},
    )


@redemptions.post(
    "/<uuid:redemption_id>/void",
    guard=till,
    body=VoidBody,
    answer=VoidedView,
    idempotency="answer",
    refusals=(AlreadyVoided, NotSoManyTaken, OwnWallet, StoreScope, VoidTooLate),
)
def void(*, caller: TillCaller, redemption_id: UUID, body: dict[str, Any]) -> dict[str, Any]:
    """Undo a redemption, or cups of it: they and their money go back where they came from.

    Of several cups those that would have stayed longest go back first. What the till collected
    besides is given back to the shopper, and its invoice taken back. Clerks undo their own store's
    for 30 minutes, managers for 24 hours; later finance asks for it, see late voids.
    """
    with in_wallets_time(lambda: redemption.find_wallet_of(redemption_id)):
        voided = redemption.void(
            redemption_id=redemption_id,
            store_id=caller.store_id,
            staff_id=caller.staff_id,
            role=caller.role,
            items=cups_by_product(body["items"]),
            reason=body["reason"],
            now=clock.now(),
        )
        return given_back(voided)
