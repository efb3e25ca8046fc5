"""What a member holds, how it came and went, and the codes that spend it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from flask import Response
from marshmallow import fields, validate

import redemption
import vouchers
from api.auth import MemberCaller, member
from api.fields import Id, Integer, MoneyField, Schema, Text, Timestamp
from api.paging import Page, Position, page_of, paged
from api.pictures import PRODUCED, CodeQuery, shown_code
from api.routing import Resource
from kernel import clock
from kernel.errors import RateLimited
from redemption.history import Story
from vouchers.balances import Balance, Sums
from vouchers.holdings import Holding
from vouchers.models.offer import EXPIRY_MODES

wallet = Resource("wallet", "/v1/wallet", "The wallet: a member's cups, their history, their QR.")

_IN_WORDS = {
    "sale": "bought, or granted with a paid period",
    "redemption": "handed over at a store",
    "void": "an event was undone, or a part of it",
    "gift": "put into a gift",
    "claim": "taken out of somebody's gift",
    "gift_return": "came back from a gift",
    "refund": "given back for money (of an unclaimed gift: its cups had left before)",
    "payout": "the money of a refund has left",
    "surplus": "money came that was not owed, and goes back",
    "lapse": "ended uncollected",
    "top_up": "a difference was paid",
    "transfer": "moved to another plan, or out of prepaid periods of one",
    "dispute_opened": "the bank took a payment back for the time being",
    "dispute_won": "the bank gave it back",
    "dispute_lost": "the bank kept it, and unused cups are gone",
}
KINDS = tuple(_IN_WORDS)
_KINDS_IN_WORDS = "; ".join(f"`{kind}`: {words}" for kind, words in _IN_WORDS.items()) + "."


class ExpiryMode(Text):
    """What happens at an end."""

    def __init__(self) -> None:
        super().__init__(
            required=True,
            validate=validate.OneOf(EXPIRY_MODES),
            metadata={
                "description": "What happens at the end: nothing (`never`), they `lapse`, each"
                " costs the difference to its price of the day (`top_up`), or they are paid back"
                " (`refund`)."
            },
        )


class IsLate(fields.Boolean):
    """Whether a top-up is due by now."""

    def __init__(self) -> None:
        says = "Whether they are past an end of mode `top_up`: each costs a difference now."
        super().__init__(required=True, metadata={"description": says})


class IsFrozen(fields.Boolean):
    """Whether a dispute is open."""

    def __init__(self) -> None:
        says = "Whether a disputed payment holds them back."
        super().__init__(required=True, metadata={"description": says})


class Benefit(Text):
    """What is held."""

    def __init__(self) -> None:
        super().__init__(
            required=True,
            validate=validate.OneOf(["cups", "unlimited", "membership", "periods"]),
            metadata={
                "description": "`cups`; cups that nobody counts (`unlimited`); a `membership`; or"
                " prepaid `periods` of a plan, with which one can be begun or gone on with."
            },
        )


class DrinkView(Schema):
    """A product that cups may be exchanged for."""

    id = Id(required=True, metadata={"description": "Opaque."})
    code = Text(required=True, metadata={"description": "The chain's own."})
    name = Text(required=True, metadata={"description": "What it is called."})
    size = Text(required=True, metadata={"description": "Its size."})


class BalanceView(Schema):
    """What is held of one offer, good for the same and ending together."""

    offer_id = Id(required=True, metadata={"description": "Opaque."})
    offer = Text(required=True, metadata={"description": "The pack's or plan's code."})
    name = Text(required=True, metadata={"description": "Its name, on the terms it was sold on."})
    benefit = Benefit()
    unit = Text(
        required=True, metadata={"description": "What is counted: `cup`, `item`, `period` …"}
    )
    products = fields.List(
        fields.Nested(DrinkView),
        required=True,
        metadata={"description": "What they are good for; empty: by price, see `covers_up_to`."},
    )
    covers_up_to = MoneyField(
        required=True,
        allow_none=True,
        metadata={"description": "The list price that a cup covers; null for any."},
    )
    allows_top_up = fields.Boolean(
        required=True, metadata={"description": "Whether a dearer drink costs the difference."}
    )
    left = Integer(
        required=True,
        allow_none=True,
        metadata={"description": "How many there are; null where nothing is counted."},
    )
    ends_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When they end; null for never."}
    )
    expiry_mode = ExpiryMode()
    is_late = IsLate()
    is_frozen = IsFrozen()


class WalletView(Schema):
    """Everything that is held, added up."""

    cups = Integer(required=True, metadata={"description": "All that can be collected now."})
    frozen = Integer(
        required=True, metadata={"description": "Held back by disputed payments; not in `cups`."}
    )
    ended = Integer(
        required=True,
        metadata={"description": "Past their end, which is about to be settled; not in `cups`."},
    )
    under_way = Integer(
        required=True,
        metadata={"description": "In gifts that nobody has claimed yet; not in `cups`."},
    )
    periods = Integer(required=True, metadata={"description": "Of plans, prepaid; not in `cups`."})
    balances = fields.List(
        fields.Nested(BalanceView),
        required=True,
        metadata={"description": "By what they are good for and their end, soonest to end first."},
    )
    next_cursor = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "For more balances; null when these are the last."},
    )


class LotsQuery(Page):
    """Which lots."""

    state = fields.String(
        load_default="held",
        validate=validate.OneOf(["held", "all"]),
        metadata={"description": "`held`: those with cups to collect; `all`: empty ones too."},
    )


class LotView(Schema):
    """Cups of one kind from one purchase, plan period or gift."""

    id = Id(required=True, metadata={"description": "Opaque."})
    offer_id = Id(required=True, metadata={"description": "Opaque."})
    offer = Text(required=True, metadata={"description": "The pack's or plan's code."})
    name = Text(required=True, metadata={"description": "Its name, on the terms it was sold on."})
    benefit = Benefit()
    unit = Text(
        required=True, metadata={"description": "What is counted: `cup`, `item`, `period` …"}
    )
    source = Text(
        required=True,
        validate=validate.OneOf(["bought", "plan", "gift"]),
        metadata={"description": "Where it came from."},
    )
    is_bonus = fields.Boolean(
        required=True,
        metadata={"description": "Whether these are bonus cups with an end of their own."},
    )
    cups = Integer(
        required=True,
        allow_none=True,
        metadata={"description": "How many it had; null where nothing is counted."},
    )
    left = Integer(
        required=True,
        allow_none=True,
        metadata={"description": "How many are left; null where nothing is counted."},
    )
    price = MoneyField(
        required=True,
        allow_none=True,
        metadata={"description": "What was paid for it, VAT included; null for a gift."},
    )
    sold_at = Timestamp(required=True, metadata={"description": "When it was bought."})
    ends_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When it ends; null for never."}
    )
    expiry_mode = ExpiryMode()
    is_late = IsLate()
    is_frozen = IsFrozen()
    refund_basis = Text(
        required=True,
        validate=validate.OneOf(["allocated", "list_price", "none"]),
        metadata={
            "description": "How unused cups are paid back; a refund's preview says how much."
        },
    )


class PartView(Schema):
    """What an event did to one lot."""

    lot_id = Id(required=True, metadata={"description": "Opaque."})
    offer_id = Id(required=True, metadata={"description": "Opaque."})
    offer = Text(required=True, metadata={"description": "The pack's or plan's code."})
    name = Text(required=True, metadata={"description": "Its name."})
    unit = Text(
        required=True, metadata={"description": "What is counted: `cup`, `item`, `period` …"}
    )
    cups = Integer(
        required=True, metadata={"description": "What it added of these, or took (negative)."}
    )
    amount = MoneyField(required=True, metadata={"description": "The same in money, net of VAT."})


class StoryView(Schema):
    """One event in the wallet."""

    id = Id(required=True, metadata={"description": "Opaque."})
    kind = Text(
        required=True,
        validate=validate.OneOf(KINDS),
        metadata={"description": _KINDS_IN_WORDS},
    )
    at = Timestamp(required=True, metadata={"description": "When."})
    source_id = Id(
        required=True,
        metadata={"description": "The lot, redemption, gift, refund or dispute it is about."},
    )
    undoes_id = Id(
        required=True, allow_none=True, metadata={"description": "Of a `void`: the event it undid."}
    )
    store_id = Id(required=True, metadata={"description": "At which store."})
    store = Text(required=True, metadata={"description": "The store's name."})
    drink = fields.Nested(
        DrinkView,
        required=True,
        allow_none=True,
        metadata={"description": "What was handed over, or taken back by a void; see `drinks`."},
    )
    drinks = fields.List(
        fields.Nested(DrinkView),
        required=True,
        metadata={"description": "The same, where several drinks were collected at once."},
    )
    cups = Integer(required=True, metadata={"description": "What it added, or took (negative)."})
    periods = Integer(
        required=True,
        metadata={"description": "Prepaid periods of plans that it added, or took; not in `cups`."},
    )
    uncounted = Integer(
        required=True,
        metadata={"description": "Handed over of an unlimited plan: in no count of cups."},
    )
    left = Integer(
        required=True, metadata={"description": "Cups after it, frozen and ended ones included."}
    )
    amount = MoneyField(required=True, metadata={"description": "Both in money, net of VAT."})
    paid = MoneyField(
        required=True,
        allow_none=True,
        metadata={
            "description": "Money that came with it, VAT included, or goes back to whoever paid"
            " (negative); null where none does."
        },
    )
    parts = fields.List(
        fields.Nested(PartView), required=True, metadata={"description": "The same, lot by lot."}
    )


@wallet.get("", guard=member, query=Page, answer=WalletView)
def show_wallet(*, caller: MemberCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Show what is held: the sums of all, and balances page by page."""
    sums: list[Sums] = []

    def read(limit: int, after: Position | None) -> Sequence[Balance]:
        found, balances = vouchers.add_up(
            member_id=caller.member_id,
            limit=limit,
            after=(after[0], after[1]) if after else None,
            now=clock.now(),
        )
        sums.append(found)
        return balances

    page = page_of(read, query=query, position=lambda balance: balance.place)
    return {
        **asdict(sums[0]),
        "balances": page["items"],
        "next_cursor": page["next_cursor"],
    }


@wallet.get("/lots", guard=member, query=LotsQuery, answer=paged(LotView))
def list_lots(*, caller: MemberCaller, query: dict[str, Any]) -> dict[str, Any]:
    """List the lots that still have cups, or all, the newest first."""

    def read(limit: int, after: Position | None) -> Sequence[Holding]:
        return vouchers.list_holdings(
            member_id=caller.member_id,
            limit=limit,
            before_id=after[0] if after else None,
            with_past=query["state"] == "all",
            now=clock.now(),
        )

    return page_of(read, query=query, position=lambda lot: (lot.id,))


@wallet.get("/history", guard=member, query=Page, answer=paged(StoryView), transaction="snapshot")
def list_history(*, caller: MemberCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Tell every event in the wallet, the newest first: it explains each cup.

    The cups of all events add up to the cups that the wallet holds (`cups`, `frozen`, `ended`), and
    their periods to its `periods`.
    """

    def read(limit: int, after: Position | None) -> Sequence[Story]:
        return redemption.list_history(
            member_id=caller.member_id,
            limit=limit,
            after=(after[0], after[1]) if after else None,
        )

    return page_of(read, query=query, position=lambda event: event.place)


@wallet.get("/code", guard=member, query=CodeQuery, produces=PRODUCED, refusals=(RateLimited,))
def show_code(*, caller: MemberCaller, query: dict[str, Any]) -> Response:
    """Show the present QR, made by the server: as SVG, PNG or text. It lives for a minute."""
    code = redemption.current_code(member_id=caller.member_id, now=clock.common())
    return shown_code(code, query)
