"""What caused an entry of the books: cups that were handed over, a lot, or finance itself."""

from typing import Any, Literal

from marshmallow import fields, validate

import payments
import redemption
from api.fields import Day, Id, Integer, MoneyField, Schema, Text, Timestamp
from kernel.errors import NotFound
from ledger.models import Entry
from ledger.month import Month
from ledger.origins import find_payment, find_run
from ledger.service import adjusting
from redemption.queries import find_by_id
from subs.origins import find_period
from vouchers.gift_queries import find_gift
from vouchers.origins import find_lot

Sort = Literal["redemption", "lot", "gift", "dispute", "adjustment", "settlement", "breakage"]

_SORTS: dict[str, Sort] = {
    "redemption": "redemption",
    "rest": "redemption",
    "sale": "lot",
    "lapse": "lot",
    "refund": "lot",
    "gift": "gift",
    "claim": "gift",
    "gift_return": "gift",
    "transfer": "lot",
    "earning": "lot",
    "dispute_opened": "dispute",
    "dispute_won": "dispute",
    "dispute_lost": "dispute",
    "adjustment": "adjustment",
    "settlement": "settlement",
    "breakage": "breakage",
}


class TakenView(Schema):
    """How many cups came from which lot."""

    lot_id = Id(required=True, metadata={"description": "The lot."})
    product_id = Id(required=True, metadata={"description": "For which drink."})
    cups = Integer(required=True, metadata={"description": "How many."})
    amount = Integer(required=True, metadata={"description": "What they carried, minor units."})


class RedemptionSourceView(Schema):
    """Cups that were handed over."""

    id = Id(required=True, metadata={"description": "The redemption."})
    store_id = Id(required=True, metadata={"description": "Where."})
    device_id = Id(required=True, metadata={"description": "At which till."})
    staff_id = Id(required=True, metadata={"description": "By whom."})
    product_id = Id(
        required=True, metadata={"description": "Which drink; of several the first, see `taken`."}
    )
    cups = Integer(required=True, metadata={"description": "How many."})
    redeemed_at = Timestamp(required=True, metadata={"description": "When."})
    business_day = Day(required=True, metadata={"description": "On which day of the store."})
    voided_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When it was undone, if it was."}
    )
    taken = fields.List(
        fields.Nested(TakenView), required=True, metadata={"description": "From which lots."}
    )


class LotSourceView(Schema):
    """Cups that were sold."""

    id = Id(required=True, metadata={"description": "The lot."})
    store_id = Id(required=True, metadata={"description": "Who sold it."})
    offer_id = Id(required=True, metadata={"description": "What it was sold as."})
    offer_code = Text(required=True, metadata={"description": "What the chain calls it."})
    offer_version = Integer(required=True, metadata={"description": "Of its terms."})
    source = Text(
        required=True, metadata={"description": "`order_item`: of an order; `period`: of a plan."}
    )
    order_id = Id(
        required=True, allow_none=True, metadata={"description": "The order, if it is of one."}
    )
    subscription_id = Id(
        required=True,
        allow_none=True,
        metadata={"description": "The subscription, if it is of a plan's period."},
    )
    period_starts_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When that period begins."}
    )
    period_ends_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When that period ends."}
    )
    cups = Integer(required=True, metadata={"description": "How many it had at first."})
    net = MoneyField(required=True, metadata={"description": "What they carried, without VAT."})
    vat = MoneyField(required=True, metadata={"description": "The VAT on it."})
    sold_at = Timestamp(required=True, metadata={"description": "When."})
    ends_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When it ends, if it does."}
    )


class GiftSourceView(Schema):
    """Cups that were given."""

    id = Id(required=True, metadata={"description": "The gift."})
    status = Text(required=True, metadata={"description": "What has become of it."})
    cups = Integer(required=True, metadata={"description": "How many."})
    given_at = Timestamp(required=True, metadata={"description": "When."})
    ends_at = Timestamp(required=True, metadata={"description": "Until when to claim it."})
    closed_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When it was claimed or back."}
    )


class DisputeSourceView(Schema):
    """Money that a bank took back."""

    id = Id(required=True, metadata={"description": "The dispute."})
    payment_id = Id(required=True, metadata={"description": "Of which payment."})
    amount = MoneyField(required=True, metadata={"description": "How much the bank took."})
    reason = Text(required=True, metadata={"description": "What its holder says."})
    status = Text(required=True, metadata={"description": "What has become of it."})
    opened_at = Timestamp(required=True, metadata={"description": "When."})
    closed_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When it was decided, if it was."}
    )


class AdjustmentSourceView(Schema):
    """What finance booked by hand."""

    id = Id(required=True, metadata={"description": "The adjustment."})
    reason = Text(required=True, metadata={"description": "Why."})
    proposed_by_id = Id(required=True, metadata={"description": "Who asked for it."})
    approved_by_id = Id(required=True, metadata={"description": "Who else agreed."})


class SettlementSourceView(Schema):
    """A payment from a store to another."""

    id = Id(required=True, metadata={"description": "The payment."})
    payer_id = Id(required=True, metadata={"description": "Who paid."})
    payee_id = Id(required=True, metadata={"description": "Who was paid."})
    paid_on = Day(required=True, metadata={"description": "When."})
    reference = Text(required=True, metadata={"description": "Of the bank transfer."})


class BreakageSourceView(Schema):
    """A run of a month's breakage."""

    offer_id = Id(required=True, metadata={"description": "Of which offer."})
    store_id = Id(required=True, metadata={"description": "Of which store."})
    period = Text(required=True, metadata={"description": "Of which month."})
    run = Integer(required=True, metadata={"description": "Which run of the month."})
    estimate_version = Integer(
        required=True, metadata={"description": "By which version of the estimate."}
    )


def _nested(view: type[Schema], about: str) -> fields.Nested:
    return fields.Nested(
        view, required=True, allow_none=True, metadata={"description": f"{about}, if it was."}
    )


class SourceView(Schema):
    """What caused an entry; one of its parts, or none where it is kept elsewhere."""

    sort = Text(
        required=True,
        allow_none=True,
        validate=validate.OneOf(tuple(dict.fromkeys(_SORTS.values()))),
        metadata={"description": "Which part tells it; null if none does."},
    )
    redemption = _nested(RedemptionSourceView, "Cups that were handed over")
    lot = _nested(LotSourceView, "Cups that were sold")
    gift = _nested(GiftSourceView, "Cups that were given")
    dispute = _nested(DisputeSourceView, "Money that a bank took back")
    adjustment = _nested(AdjustmentSourceView, "A correction by hand")
    settlement = _nested(SettlementSourceView, "A payment between stores")
    breakage = _nested(BreakageSourceView, "An estimate of breakage")


def source_of(entry: Entry, reversed_kind: str | None) -> dict[str, Any]:
    """Find what caused an entry; of a reversal, what caused the entry that it undoes."""
    told: dict[str, Any] = dict.fromkeys(SourceView().fields)
    sort = _SORTS.get(reversed_kind or entry.kind)
    if sort is None:
        return told
    found = _FIND[sort](entry)
    return told if found is None else {**told, "sort": sort, sort: found}


def _redemption(entry: Entry) -> dict[str, Any] | None:
    found = find_by_id(entry.source_id)
    if found is None:
        return None
    names = set(RedemptionSourceView().fields) - {"product_id", "taken"}
    taken = redemption.lines_of(found)
    told = {name: getattr(found, name) for name in names}
    return {**told, "product_id": taken[0].product_id, "taken": taken}


def _lot(entry: Entry) -> dict[str, Any] | None:
    found = find_lot(member_id=entry.member_id, lot_id=entry.source_id)
    if found is None:
        return None
    period = find_period(found.source_id) if found.source == "period" else None
    return {name: getattr(found, name) for name in found.__slots__} | {
        "subscription_id": period and period.subscription_id,
        "period_starts_at": period and period.starts_at,
        "period_ends_at": period and period.ends_at,
    }


def _gift(entry: Entry) -> Any:
    return find_gift(entry.source_id)


def _dispute(entry: Entry) -> Any:
    try:
        return payments.get_dispute(entry.source_id)
    except NotFound:
        return None


def _adjustment(entry: Entry) -> Any:
    try:
        return adjusting.get(entry.source_id).adjustment
    except NotFound:
        return None


def _settlement(entry: Entry) -> Any:
    return find_payment(entry.source_id)


def _breakage(entry: Entry) -> dict[str, Any] | None:
    run = find_run(entry_id=entry.id, occurred_on=entry.occurred_on)
    if run is None:
        return None
    return {
        "offer_id": run.offer_id,
        "store_id": run.store_id,
        "period": str(Month(run.first_on)),
        "run": run.run,
        "estimate_version": run.estimate_version,
    }


_FIND = {
    "redemption": _redemption,
    "lot": _lot,
    "gift": _gift,
    "dispute": _dispute,
    "adjustment": _adjustment,
    "settlement": _settlement,
    "breakage": _breakage,
}
