"""What a till sends when it has scanned a code: to hand over cups, or to ask what would be."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar
from uuid import UUID

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from api.auth import TillToken
from api.fields import Cups, Id, Integer, Text
from kernel import clock
from kernel.errors import RateLimited, Refusal
from members import in_time_of
from redemption import Asked, Scan
from redemption.errors import (
    ApprovalNeeded,
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
    WalletBlocked,
)

MOST_DRINKS = 10
_MOST_COLLECTED = 10_000_000

REFUSALS: tuple[type[Refusal], ...] = (
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
    ApprovalNeeded,
    TopUpDue,
    OwnWallet,
    RateLimited,
)
"""Why cups may not be handed over."""


class ItemBody(Schema):
    """One drink of a scan."""

    product_id = Id(required=True, metadata={"description": "The drink that is handed over."})
    cups = Cups(most=100, required=True, metadata={"description": "How many of it."})


class ScanBody(Schema):
    """What the till has scanned, and what the shopper wants: `items`, or one drink by itself."""

    EXAMPLE: ClassVar = {
        "items": [{"product_id": "0199b5a0-0000-7000-8000-000000000001", "cups": 2}]
    }

    code = Text(
        required=True,
        least=1,
        most=200,
        metadata={"description": "The text of the wallet's QR, or the code that is read aloud."},
    )
    items = fields.List(
        fields.Nested(ItemBody),
        validate=validate.Length(min=1, max=MOST_DRINKS),
        metadata={"description": "The drinks, each once. All are handed over, or none."},
    )
    product_id = Id(metadata={"description": "Of one drink, instead of `items`."})
    cups = Cups(most=100, metadata={"description": "How many of it."})
    top_up = Integer(
        least=0,
        most=_MOST_COLLECTED,
        load_default=0,
        metadata={
            "description": "What the till collected for all of it besides, VAT included, in minor"
            " units. If something else is due, the answer says what."
        },
    )

    @validates_schema
    def check_form(self, loaded: dict[str, Any], **_: Any) -> None:
        """Let pass one of the two forms, and no drink twice."""
        one = {"product_id", "cups"} & loaded.keys()
        if "items" not in loaded:
            missing = {"product_id", "cups"} - one
            if missing:
                raise ValidationError(
                    {name: ["Missing data for required field."] for name in sorted(missing)}
                )
            return
        if one:
            raise ValidationError({"items": ["Give one of items and product_id."]})
        if len({item["product_id"] for item in loaded["items"]}) < len(loaded["items"]):
            raise ValidationError({"items": ["Is listed more than once."]})


def scan_of(
    caller: TillToken, body: dict[str, Any], *, key: str = "", fingerprint: bytes = b""
) -> Scan:
    """What a body asks for; without a key where nothing is to be handed over."""
    items = body.get("items") or [body]
    return Scan(
        shift_digest=caller.digest,
        code=body["code"],
        items=tuple(Asked(item["product_id"], item["cups"]) for item in items),
        key=key,
        fingerprint=fingerprint,
        top_up=body["top_up"],
        shown_at=clock.common(),
        signed=caller.signed,
    )


def in_wallets_time(find: Callable[[], UUID | None]) -> AbstractContextManager[None]:
    """In the sandbox it is, at the till, what the clock of the wallet's member says."""
    return in_time_of(find()) if clock.is_movable() else nullcontext()
