"""What is told of cups that were handed over: to the till at once, and later."""

from typing import Any

from marshmallow import Schema, fields

import redemption
import vouchers
from api import voided_words
from api.fields import Id, Integer, MoneyField, Text, Timestamp
from api.language import language
from api.redeemed_words import words_of
from redemption import Redeemed
from redemption.models import Redemption


class TakenView(Schema):
    """Cups of one lot."""

    lot_id = Id(required=True, metadata={"description": "The lot they came from."})
    offer = Text(metadata={"description": "The code of the pack or plan it was bought as."})
    name = Text(allow_none=True, metadata={"description": "Its name."})
    unit = Text(allow_none=True, metadata={"description": "What it counts, mostly `cup`."})
    cups = Integer(required=True, metadata={"description": "How many came from it."})
    ends_at = Timestamp(
        allow_none=True, metadata={"description": "When what is left in it ends; null for never."}
    )


class DrinkView(Schema):
    """A drink, by its names."""

    code = Text(required=True, metadata={"description": "The chain's code."})
    name = Text(required=True, metadata={"description": "Its name."})
    size = Text(required=True, metadata={"description": "In which size."})


class ItemView(Schema):
    """One drink that was handed over, and what the shopper can still take of it."""

    product_id = Id(required=True, metadata={"description": "What."})
    product = fields.Nested(
        DrinkView, required=True, allow_none=True, metadata={"description": "The same, by name."}
    )
    cups = Integer(required=True, metadata={"description": "How many."})
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
        required=True, metadata={"description": "What was collected for it besides."}
    )


class WordsView(Schema):
    """The same as a sentence, in the language of the request."""

    clerk = Text(
        required=True,
        metadata={
            "description": "For the till's screen.",
            "example": "2 cups of Latte (M): 1 cup from “Ten and one”, 1 cup from “Ten a month”;"
            " 7 cups left.",
        },
    )
    member = Text(required=True, metadata={"description": "To be shown, or read out."})


class RedeemedView(Schema):
    """What was handed over. For one drink its fields stand here, too."""

    id = Id(
        required=True,
        allow_none=True,
        metadata={"description": "The redemption, for a void; null where it was a dry run."},
    )
    store_id = Id(required=True, metadata={"description": "Where."})
    items = fields.List(
        fields.Nested(ItemView), required=True, metadata={"description": "What, drink by drink."}
    )
    cups = Integer(required=True, metadata={"description": "How many, of all drinks."})
    redeemed_at = Timestamp(required=True, metadata={"description": "When."})
    top_up = MoneyField(
        required=True, metadata={"description": "What was collected besides; mostly nothing."}
    )
    words = fields.Nested(
        WordsView,
        required=True,
        allow_none=True,
        metadata={"description": "The same in words; null in answers from before there were any."},
    )
    product_id = Id(metadata={"description": "Of one drink: which."})
    taken = fields.List(
        fields.Nested(TakenView), metadata={"description": "Of one drink: from which lots."}
    )
    left = Integer(
        allow_none=True,
        metadata={"description": "Of one drink: how many more; null where nobody counts them."},
    )
    is_unlimited = fields.Boolean(
        metadata={"description": "Of one drink: whether nobody counts them."}
    )


class LineView(Schema):
    """Cups of one drink from one lot."""

    lot_id = Id(required=True, metadata={"description": "The lot they came from."})
    product_id = Id(required=True, metadata={"description": "For which drink."})
    cups = Integer(required=True, metadata={"description": "How many."})
    cups_voided = Integer(required=True, metadata={"description": "How many of them went back."})


class RedemptionView(Schema):
    """A redemption as it stands."""

    id = Id(required=True, metadata={"description": "Opaque."})
    store_id = Id(required=True, metadata={"description": "Where."})
    product_id = Id(
        required=True, metadata={"description": "What; of several drinks the first, see `taken`."}
    )
    cups = Integer(required=True, metadata={"description": "How many."})
    cups_voided = Integer(required=True, metadata={"description": "How many of them were undone."})
    redeemed_at = Timestamp(required=True, metadata={"description": "When."})
    is_offline = fields.Boolean(
        required=True, metadata={"description": "Whether the till had no network then."}
    )
    voided_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When all were undone, or null."}
    )
    top_up = MoneyField(
        required=True,
        metadata={"description": "What was collected besides; a void gives it back."},
    )
    top_up_voided = MoneyField(
        required=True, metadata={"description": "What of it voids have given back."}
    )
    taken = fields.List(
        fields.Nested(LineView), required=True, metadata={"description": "From which lots."}
    )


def shown(redeemed: Redeemed) -> dict[str, Any]:
    """The answer, with the fields of the one drink that there mostly is beside its item."""
    told = {**redeemed.as_json(), "words": words_of(redeemed, language())}
    if len(redeemed.items) > 1:
        return told
    (item,) = redeemed.items
    alone = ("product_id", "taken", "left", "is_unlimited")
    return {**told, **{name: item[name] for name in alone}}


def viewed(found: Redemption) -> dict[str, Any]:
    """A redemption as `RedemptionView` shows it."""
    shown = (
        "id",
        "store_id",
        "cups",
        "cups_voided",
        "top_up",
        "redeemed_at",
        "is_offline",
        "voided_at",
    )
    taken = redemption.lines_of(found)
    return {
        **{name: getattr(found, name) for name in shown},
        "product_id": taken[0].product_id,
        "currency": redemption.currency_of(found),
        "top_up_voided": sum(line.top_up_voided for line in taken),
        "taken": taken,
    }


def given_back(voided: Redemption) -> dict[str, Any]:
    """A redemption that was undone just now, and what that gave back."""
    told, last = viewed(voided), redemption.last_void(voided)
    currency = told["currency"]
    lots = vouchers.names_of_lots(
        member_id=voided.member_id, lot_ids={line.lot_id for line in told["taken"]}
    )
    words = voided_words.words_of(
        cups=last.cups,
        left=voided.cups - voided.cups_voided,
        units={lot.unit for lot in lots.values()},
        top_up=last.top_up,
        currency=currency,
        language=language(),
    )
    back = {"cups": last.cups, "top_up": last.top_up, "currency": currency}
    return {**told, "given_back": back, "words": words}
