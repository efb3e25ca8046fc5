"""Cups handed over at a store's till, and taken back."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields

import redemption
from api.auth import TillCaller, TillToken, till, till_token
from api.fields import Cups, Id, Integer, MoneyField, Text, Timestamp
from api.idempotency import mark_replayed
from api.routing import Resource
from api.serving import written
from chain import StoreScope
from kernel import clock
from kernel.errors import RateLimited, Refusal
from kernel.idempotency import Key, KeyReused
from members import in_time_of
from redemption import Scan
from redemption.errors import (
    AlreadyVoided,
    ChannelNotAccepted,
    CoversLess,
    InsufficientCups,
    LimitReached,
    LotFrozen,
    OwnWallet,
    ProductMismatch,
    StoreNotAccepted,
    TokenExpired,
    TokenInvalid,
    TokenUsed,
    TopUpDue,
    UnknownProduct,
    VoidTooLate,
    WalletBlocked,
)
from redemption.models import Redemption

_MOST_COLLECTED = 10_000_000

redemptions = Resource(
    "redemptions", "/v1/redemptions", "Redemptions: cups handed over at a store."
)


class RedeemBody(Schema):
    """What the till has scanned, and what the shopper wants."""

    code = Text(
        required=True, least=1, most=200, metadata={"description": "The text of the wallet's QR."}
    )
    product_id = Id(required=True, metadata={"description": "The drink that is handed over."})
    cups = Cups(most=100, required=True, metadata={"description": "How many of it."})
    top_up = Integer(
        least=0,
        most=_MOST_COLLECTED,
        load_default=0,
        metadata={
            "description": "What the till collected for it besides, VAT included, in minor units."
            " If something else is due, the answer says what."
        },
    )


class TakenView(Schema):
    """Cups of one lot."""

    lot_id = Id(required=True, metadata={"description": "The lot they came from."})
    offer = Text(metadata={"description": "The code of the pack or plan it was bought as."})
    cups = Integer(required=True, metadata={"description": "How many came from it."})


class RedeemedView(Schema):
    """What was handed over, and what the shopper can still take."""

    id = Id(required=True, metadata={"description": "The redemption, for a void."})
    store_id = Id(required=True, metadata={"description": "Where."})
    product_id = Id(required=True, metadata={"description": "What."})
    cups = Integer(required=True, metadata={"description": "How many."})
    redeemed_at = Timestamp(required=True, metadata={"description": "When."})
    taken = fields.List(
        fields.Nested(TakenView),
        required=True,
        metadata={"description": "From which lots, in the order in which they burn."},
    )
    left = Integer(
        required=True,
        allow_none=True,
        metadata={
            "description": "Cups of this product that can still be taken at this till, those that"
            " cost a top-up among them; null where nobody counts them."
        },
    )
    is_unlimited = fields.Boolean(
        required=True,
        metadata={"description": "Whether nobody counts them: only the plan's limits bound it."},
    )
    top_up = MoneyField(
        required=True, metadata={"description": "What was collected besides; mostly nothing."}
    )


class RedemptionView(Schema):
    """A redemption as it stands."""

    id = Id(required=True, metadata={"description": "Opaque."})
    store_id = Id(required=True, metadata={"description": "Where."})
    product_id = Id(required=True, metadata={"description": "What."})
    cups = Integer(required=True, metadata={"description": "How many."})
    redeemed_at = Timestamp(required=True, metadata={"description": "When."})
    voided_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When it was undone, or null."}
    )
    top_up = MoneyField(
        required=True,
        metadata={"description": "What was collected besides; a void gives it back."},
    )
    taken = fields.List(
        fields.Nested(TakenView(only=("lot_id", "cups"))),
        required=True,
        metadata={"description": "From which lots."},
    )


@redemptions.post(
    "",
    guard=till_token,
    body=RedeemBody,
    answer=RedeemedView,
    status=201,
    idempotency="domain",
    transaction="own",
    refusals=(
        TokenInvalid,
        TokenExpired,
        TokenUsed,
        UnknownProduct,
        InsufficientCups,
        ProductMismatch,
        CoversLess,
        ChannelNotAccepted,
        StoreNotAccepted,
        LotFrozen,
        WalletBlocked,
        LimitReached,
        TopUpDue,
        OwnWallet,
        KeyReused,
        RateLimited,
    ),
)
def redeem(*, caller: TillToken, body: dict[str, Any], key: Key) -> Response:
    """Hand over cups at a store.

    The soonest to end go first, those that cost a top-up last. A retry with the same key hears the
    same answer and takes no cup twice, also after the code has grown old or the redemption was
    voided. Where a drink costs a top-up, collect it and scan again, under a new key.
    """
    scan = Scan(
        shift_digest=caller.digest,
        key=key.key,
        fingerprint=key.fingerprint,
        shown_at=clock.common(),
        **body,
    )
    try:
        with _in_time_of(lambda: redemption.find_wallet(scan.code)):
            redeemed = redemption.redeem(scan=scan, now=clock.now())
    except Refusal as refusal:
        if refusal.is_replayed:
            mark_replayed()
        raise
    if redeemed.is_replayed:
        mark_replayed()
    return written(redeemed.as_json(), 201)  # plain already: the hot path dumps no schema


@redemptions.get("/<uuid:redemption_id>", guard=till, answer=RedemptionView)
def get_redemption(*, caller: TillCaller, redemption_id: UUID) -> dict[str, Any]:
    """Look at a redemption of this store."""
    return _viewed(redemption.get_redemption(redemption_id=redemption_id, store_id=caller.store_id))


@redemptions.post(
    "/<uuid:redemption_id>/void",
    guard=till,
    answer=RedemptionView,
    idempotency="answer",
    refusals=(AlreadyVoided, StoreScope, VoidTooLate),
)
def void(*, caller: TillCaller, redemption_id: UUID) -> dict[str, Any]:
    """Undo a redemption: its cups and their money go back where they came from.

    What the till collected besides is given back to the shopper, and its invoice taken back.
    Clerks undo their own store's for 30 minutes, managers for 24 hours.
    """
    with _in_time_of(lambda: redemption.find_wallet_of(redemption_id)):
        return _viewed(
            redemption.void(
                redemption_id=redemption_id,
                store_id=caller.store_id,
                staff_id=caller.staff_id,
                role=caller.role,
                now=clock.now(),
            )
        )


def _in_time_of(find: Callable[[], UUID | None]) -> AbstractContextManager[None]:
    """In the sandbox it is, at the till, what the clock of the wallet's member says."""
    return in_time_of(find()) if clock.is_movable() else nullcontext()


def _viewed(found: Redemption) -> dict[str, Any]:
    shown = ("id", "store_id", "product_id", "cups", "top_up", "redeemed_at", "voided_at")
    return {
        **{name: getattr(found, name) for name in shown},
        "currency": redemption.currency_of(found),
        "taken": redemption.lines_of(found),
    }
