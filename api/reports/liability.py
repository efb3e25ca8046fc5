"""What is owed in cups as of a day: in all, by age, and under guarantee."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from marshmallow import Schema, fields, validate

import chain
import vouchers
from api.auth import OfficeCaller
from api.fields import Integer, Text
from api.refusals import RangeTooWide
from api.reports.asking import OnQuery, OnView, day_of, report, store_field
from api.reports.control import compared, control_field, owed_by, shown
from api.reports.naming import named
from api.spans import refuse_wide, today
from api.tables import column, rows_of
from kernel.errors import NotFound
from ledger.legs import OWED
from ledger.month import Month
from ledger.policy import CONTRACT_LIABILITIES
from ledger.reports import control_liability, liability_on
from vouchers.ageing import Aged, Guaranteed, list_ages, list_guarantees

_MOST_DAYS_BACK = 190
_MONEY = "In minor units of `currency` (whole dollars for TWD), net of VAT."


class TotalView(Schema):
    """A sum of all rows in one currency."""

    currency = Text(required=True, metadata={"description": "ISO 4217."})
    amount = Integer(required=True, metadata={"description": _MONEY})
    cups = Integer(required=True, metadata={"description": "The same in cups."})


class LiabilityQuery(OnQuery):
    """As of which day, and how it is summed."""

    by = Text(
        load_default="store",
        validate=validate.OneOf(("store", "account")),
        metadata={"description": "By store and account, or by account alone."},
    )
    store_id = store_field()


class HeldView(Schema):
    """What one account holds."""

    store_id = column.Id("The store that sold the cups; none where all are summed.",
                         allow_none=True)  # fmt: skip
    store_code = column.Text("What the chain calls it.", allow_none=True)
    store_name = column.Text("What people call it.", allow_none=True)
    account = column.Text("2131 vouchers, 2132 plans, 2134 under way, 2138 breakage (negative).")
    currency = column.Text("ISO 4217.")
    balance = column.Money(f"What is owed. {_MONEY}")
    cups = column.Cups("The same in cups.")


class LiabilityView(OnView):
    """What is owed in cups as of a day."""

    totals = fields.List(
        fields.Nested(TotalView),
        required=True,
        metadata={"description": "The net liability, by currency."},
    )
    control = control_field()
    rows = rows_of(HeldView, "By store and account.")


@report("/liability", query=LiabilityQuery, answer=LiabilityView, refusals=(NotFound,))
def liability(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Read what is owed in cups at the end of any day, by what was booked until then."""
    del caller
    on, store_id = day_of(query), query["store_id"]
    if store_id is not None:
        chain.get_store(store_id)
    rows = liability_on(on, by=query["by"], store_id=store_id)
    return {
        "on": on,
        "totals": _totals((row.currency, row.balance, row.cups) for row in rows),
        "control": shown("balance", OWED, control_liability(rows, on=on, store_id=store_id)),
        "rows": named(rows, HeldView),
    }


class AgedView(Schema):
    """What one store owes for one offer, by the days since it was sold."""

    store_id = column.Id("The store that sold the cups.")
    store_code = column.Text("What the chain calls it.", allow_none=True)
    store_name = column.Text("What people call it.", allow_none=True)
    offer_id = column.Id("What was sold; none where it is not known.", allow_none=True)
    offer_code = column.Text("What the chain calls it.", allow_none=True)
    account = column.Text("2131 vouchers, 2132 plans, 2134 under way, 2138 breakage (negative).")
    currency = column.Text("ISO 4217.")
    days_0_30 = column.Money(f"Sold within 30 days. {_MONEY}")
    days_31_90 = column.Money("Sold 31 to 90 days before.")
    days_91_180 = column.Money("Sold 91 to 180 days before.")
    days_181_365 = column.Money("Sold 181 to 365 days before.")
    days_over_365 = column.Money("Sold more than 365 days before.")
    without_age = column.Money("Under way or estimated: in no lot.")
    amount = column.Money("All of it.")
    cups_0_30 = column.Cups("The same in cups.")
    cups_31_90 = column.Cups("The same in cups.")
    cups_91_180 = column.Cups("The same in cups.")
    cups_181_365 = column.Cups("The same in cups.")
    cups_over_365 = column.Cups("The same in cups.")
    cups_without_age = column.Cups("The same in cups.")
    cups = column.Cups("All of them.")


class AgeingView(OnView):
    """What is owed in cups as of a day, by age."""

    totals = fields.List(
        fields.Nested(TotalView),
        required=True,
        metadata={"description": "The net liability, by currency."},
    )
    control = control_field()
    rows = rows_of(AgedView, "By store, offer and account.")


def _recent_day_of(query: dict[str, Any]) -> date:
    """Read a day that lots can be counted back to: all lines since then are read."""
    on = day_of(query)
    refuse_wide(on, today(), most=_MOST_DAYS_BACK, unit="days")
    return on


@report("/ageing", query=OnQuery, answer=AgeingView, refusals=(RangeTooWide,))
def ageing(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Read how long ago what is owed at the end of a day was sold.

    Lot by lot: in 0 to 30 days, 31 to 90, 91 to 180, 181 to 365, and more. Of any day in the last
    190, since lots are counted back from today.
    """
    del caller
    on = _recent_day_of(query)
    rows = list_ages(on=on)
    return {
        "on": on,
        "totals": _totals((row.currency, row.amount, row.cups_owed) for row in rows),
        "control": compared(
            "amount",
            OWED,
            reported=((row.currency, row.amount) for row in rows),
            books=owed_by(OWED, Month.of(on).first_on, on),
        ),
        "rows": _aged(rows),
    }


class GuaranteedView(Schema):
    """What one store owes whose guarantee ends, or ended, in one month."""

    store_id = column.Id("The store that sold the cups.")
    store_code = column.Text("What the chain calls it.", allow_none=True)
    store_name = column.Text("What people call it.", allow_none=True)
    legal_entity_id = column.Id("Who owns the store on that day.", allow_none=True)
    legal_entity_code = column.Text("What the chain calls it.", allow_none=True)
    legal_entity_name = column.Text("As it is registered.", allow_none=True)
    ends_in = column.Text("The month of the last guaranteed day.")
    is_running = column.Flag("Whether the guarantee still runs on that day.")
    currency = column.Text("ISO 4217.")
    cups = column.Cups("How many are owed.")
    net = column.Money("What they carry, without VAT, in minor units.")
    vat = column.Money("The VAT that was paid with it.")
    gross = column.Money("net + vat.")


class GuaranteeSumView(Schema):
    """What is under guarantee, or has left it, in one currency."""

    is_running = fields.Boolean(
        required=True, metadata={"description": "Whether the guarantee still runs on that day."}
    )
    currency = Text(required=True, metadata={"description": "ISO 4217."})
    cups = Integer(required=True, metadata={"description": "How many are owed."})
    net = Integer(required=True, metadata={"description": "Without VAT, in minor units."})
    vat = Integer(required=True, metadata={"description": "The VAT that was paid with it."})
    gross = Integer(required=True, metadata={"description": "net + vat."})


class GuaranteeView(OnView):
    """What is owed in cups as of a day, under guarantee or no longer."""

    totals = fields.List(
        fields.Nested(GuaranteeSumView),
        required=True,
        metadata={"description": "Under guarantee, and what has left it and is still owed."},
    )
    control = control_field("The net of all rows against what is owed for cups, also under way.")
    rows = rows_of(GuaranteedView, "By store, month and whether it runs.")


@report("/guarantee", query=OnQuery, answer=GuaranteeView, refusals=(RangeTooWide,))
def guarantee(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Read what of the unspent balance at the end of a day is under a running guarantee.

    A guarantee runs so many months from the day of the sale as the terms of the offer say. What
    has left it and is still owed is told apart. Of any day in the last 190.
    """
    del caller
    on = _recent_day_of(query)
    rows = list_guarantees(on=on)
    return {
        "on": on,
        "totals": list(_guarantee_sums(rows)),
        "control": compared(
            "net",
            CONTRACT_LIABILITIES,
            reported=((row.currency, row.net) for row in rows),
            books=owed_by(CONTRACT_LIABILITIES, Month.of(on).first_on, on),
        ),
        "rows": named(rows, GuaranteedView),
    }


def _totals(rows: Iterable[tuple[str, int, int]]) -> list[dict[str, Any]]:
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for currency, amount, cups in rows:
        sums[currency][0] += amount
        sums[currency][1] += cups
    return [
        {"currency": currency, "amount": amount, "cups": cups}
        for currency, (amount, cups) in sorted(sums.items())
    ]


def _aged(rows: Iterable[Aged]) -> Iterator[tuple[Any, ...]]:
    """The rows in the order of the columns."""
    stores, offers = chain.names_of_stores(), vouchers.list_offer_codes()
    for row in rows:
        called = stores[row.store_id]
        yield (
            row.store_id,
            called.code,
            called.name,
            row.offer_id,
            row.offer_id and offers.get(row.offer_id),
            row.account,
            row.currency,
            *row.amounts,
            row.without_age,
            row.amount,
            *row.cups,
            row.cups_without_age,
            row.cups_owed,
        )


def _guarantee_sums(rows: Iterable[Guaranteed]) -> Iterator[dict[str, Any]]:
    sums: dict[tuple[bool, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        of = sums[row.is_running, row.currency]
        for place, amount in enumerate((row.cups, row.net, row.vat)):
            of[place] += amount
    for (is_running, currency), (cups, net, vat) in sorted(sums.items(), reverse=True):
        yield {
            "is_running": is_running,
            "currency": currency,
            "cups": cups,
            "net": net,
            "vat": vat,
            "gross": net + vat,
        }
