"""What is owed to those who paid for cups, and how it moved."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from marshmallow import Schema, validate

import chain
from api.auth import OfficeCaller
from api.fields import Id, Text
from api.reports.asking import (
    MONTHS_REFUSED,
    MonthsQuery,
    MonthsView,
    months_of,
    report,
    store_field,
)
from api.reports.control import control_field, shown
from api.reports.naming import named
from api.tables import column, rows_of
from kernel.errors import NotFound
from ledger.legs import OWED
from ledger.month import Month
from ledger.reports import FORMULA, Movement, control_roll_forward, roll_forward_range
from vouchers.naming import check_offers

_MONEY = "In minor units of `currency` (whole dollars for TWD), net of VAT."


def _money(about: str) -> column.Money:
    return column.Money(f"{about} {_MONEY}")


def _cups() -> column.Cups:
    return column.Cups("The same in cups.")


class RollForwardQuery(MonthsQuery):
    """Which months, and of what."""

    basis = Text(
        load_default="booked",
        validate=validate.OneOf(("booked", "occurred")),
        metadata={
            "description": "`booked`: by the day on which entries stand in the books;"
            " `occurred`: what became known late stands in the month it belongs to."
        },
    )
    store_id = store_field()
    offer_id = Id(load_default=None, metadata={"description": "Only what was sold as this."})


class MovementView(Schema):
    """What one store owes for one offer, and how it moved."""

    store_id = column.Id("The store that sold the cups.")
    store_code = column.Text("What the chain calls it.", allow_none=True)
    store_name = column.Text("What people call it.", allow_none=True)
    offer_id = column.Id("What was sold; the zero id where it is not known.")
    offer_code = column.Text("What the chain calls it.", allow_none=True)
    account = column.Text("2131 vouchers, 2132 plans, 2134 under way, 2138 breakage (negative).")
    currency = column.Text("ISO 4217.")
    opening = _money("Owed when the first month began.")
    sold = _money("Came with cups that were sold: packs, and paid months of plans.")
    redeemed = _money("Left with cups that were handed over.")
    voided = _money("Came back with cups whose handing over was undone.")
    lapsed = _money("Left with cups that nobody collected in time.")
    breakage = _money("Left by estimates of what will never be collected.")
    refunded = _money("Left with cups that were given back for money.")
    charged_back = _money("Left with cups whose payment was lost in a dispute.")
    earned = _money("Left as days of a plan without a count of cups passed.")
    transferred = _money("Came, or left if negative, with cups that changed hands: gifts.")
    adjusted = _money("What else moved it, such as adjustments by hand.")
    closing = _money("Owed when the last month ended.")
    cups_opening, cups_sold, cups_redeemed, cups_voided = _cups(), _cups(), _cups(), _cups()
    cups_lapsed, cups_breakage, cups_refunded = _cups(), _cups(), _cups()
    cups_charged_back, cups_earned, cups_transferred = _cups(), _cups(), _cups()
    cups_adjusted, cups_closing = _cups(), _cups()


class RollForwardView(MonthsView):
    """The deferred revenue of some months."""

    basis = Text(required=True, metadata={"description": "As it was asked for."})
    formula = Text(required=True, metadata={"description": "How each row adds up."})
    control = control_field(
        "What is owed at the end against the books, as booked: with `occurred`, the difference is"
        " what became known later. None for one offer alone: accounts are not kept by offer."
    )
    rows = rows_of(MovementView, "By store, offer and account.")


@report(
    "/deferred-revenue",
    query=RollForwardQuery,
    answer=RollForwardView,
    refusals=(*MONTHS_REFUSED, NotFound),
)
def deferred_revenue(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Read the roll-forward: what was owed, what moved, what is owed.

    One month, or up to 36 in a row, exact to the last committed redemption.
    """
    del caller
    first, last = months_of(query)
    asked = {name: query[name] for name in ("basis", "store_id", "offer_id")}
    if query["store_id"] is not None:
        chain.get_store(query["store_id"])
    if query["offer_id"] is not None:
        check_offers([query["offer_id"]])
    rows = roll_forward_range(first, last, **asked)
    found = [] if query["offer_id"] else _control(rows, last, query["store_id"])
    return {
        "first": str(first),
        "last": str(last),
        "basis": query["basis"],
        "formula": FORMULA,
        "control": found,
        "rows": named(rows, MovementView),
    }


def _control(rows: Sequence[Movement], last: Month, store_id: UUID | None) -> list[dict[str, Any]]:
    return shown("closing", OWED, control_roll_forward(rows, last=last, store_id=store_id))
