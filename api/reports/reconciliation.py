"""Our payments of a month, the provider's balance, and the books' cash, side by side."""

from typing import Any

from marshmallow import Schema, fields, validate

import payments
from api.auth import OfficeCaller
from api.fields import Integer, Text, Timestamp
from api.reports.asking import MonthlyView, PeriodQuery, month_of, report
from api.reports.control import compared, control_field
from api.tables import column, rows_of
from kernel.errors import NotFound
from ledger.cash import cash_moved
from ledger.errors import PeriodInvalid
from ledger.policy import CASH
from payments import Reconciliation

_VERDICTS = ("matched", "ours_only", "theirs_only", "amounts_differ")
_THEIRS = "In the provider's minor units (TWD: hundredths)."


def _minor(about: str) -> Integer:
    return Integer(required=True, metadata={"description": f"{about} {_THEIRS}"})


def _currency() -> Text:
    return Text(required=True, metadata={"description": "ISO 4217."})


class ReconciliationQuery(PeriodQuery):
    """Which month, and which lines."""

    lines = Text(
        load_default="differences",
        validate=validate.OneOf(("differences", "all")),
        metadata={"description": "`all`: also the lines on which both sides agree."},
    )


class ReconciledView(Schema):
    """One payment beside the provider's movement."""

    verdict = column.Text("matched, ours_only, theirs_only or amounts_differ.")
    cause = column.Text("Why they differ; none if they do not.", allow_none=True)
    kind = column.Text("What the provider calls the movement.")
    payment_id = column.Id("Our payment, if there is one.", allow_none=True)
    payment_ref = column.Text("The provider's name of it.", allow_none=True)
    transaction_ref = column.Text("The provider's name of the movement.", allow_none=True)
    ours_minor = column.Money(f"Ours. {_THEIRS}", allow_none=True)
    ours_currency = column.Text("ISO 4217.", allow_none=True)
    theirs_minor = column.Money(f"Theirs. {_THEIRS}", allow_none=True)
    theirs_currency = column.Text("ISO 4217.", allow_none=True)
    settled_at = column.Moment("When ours was settled.", allow_none=True)
    created_at = column.Moment("When theirs was made.", allow_none=True)


class CountsView(Schema):
    """How many lines of each sort there are."""

    matched = Integer(required=True, metadata={"description": "Both sides agree."})
    ours_only = Integer(required=True, metadata={"description": "Not at the provider's."})
    theirs_only = Integer(required=True, metadata={"description": "Not among our payments."})
    amounts_differ = Integer(required=True, metadata={"description": "In amount or currency."})


class ChargedView(Schema):
    """What shoppers were charged in one currency."""

    currency = _currency()
    ours_minor = _minor("By our payments.")
    theirs_minor = _minor("By the provider.")
    difference_minor = _minor("ours - theirs.")


class BalanceHeldView(Schema):
    """How the balance at the provider moved in one currency."""

    currency = _currency()
    opening_minor = _minor("When the month began.")
    charges_minor = _minor("Charges.")
    refunds_minor = _minor("Refunds, negative.")
    disputes_minor = _minor("Disputes, negative where they were lost.")
    other_minor = _minor("Other movements.")
    fees_minor = _minor("What the provider kept.")
    paid_out_minor = _minor("What went to the bank.")
    closing_minor = _minor("What is still there at the end.")
    by_day_minor = _minor("The same, by the sums of its days.")
    difference_minor = _minor("closing - by_day: 0 if no movement was lost.")


class PaidOutView(Schema):
    """A payout beside the sum of what went out with it."""

    payout_ref = Text(required=True, metadata={"description": "The provider's name of it."})
    status = Text(required=True, metadata={"description": "Where it stands."})
    currency = _currency()
    amount_minor = _minor("What the bank gets.")
    items_minor = _minor("What its movements add up to.")
    items = Integer(required=True, metadata={"description": "How many these are."})
    difference_minor = _minor("amount - items.")
    cause = Text(
        required=True, allow_none=True, metadata={"description": "Why they differ, if they do."}
    )
    created_at = Timestamp(required=True, metadata={"description": "When it was made."})
    arrives_at = Timestamp(required=True, metadata={"description": "When it is at the bank."})


class CashView(Schema):
    """How the books' cash moved by one kind of event."""

    kind = Text(required=True, metadata={"description": "sale, payout, dispute_opened, …"})
    currency = _currency()
    amount = Integer(
        required=True, metadata={"description": "What came in, in minor units; out is negative."}
    )


class SurplusView(Schema):
    """What came besides for something already paid, to be given back."""

    currency = _currency()
    amount = Integer(required=True, metadata={"description": "In minor units."})


def _listed(view: type[Schema], about: str) -> fields.List[Any]:
    return fields.List(fields.Nested(view), required=True, metadata={"description": about})


class ReconciliationView(MonthlyView):
    """Our payments of a month against the provider's balance, and the books' cash."""

    fetched_until = Timestamp(
        required=True,
        allow_none=True,
        metadata={"description": "Until when the provider's movements are known; null if none is."},
    )
    lines = fields.Nested(
        CountsView, required=True, metadata={"description": "How many of each sort."}
    )
    charged = _listed(ChargedView, "What shoppers were charged, by currency.")
    held = _listed(BalanceHeldView, "How the balance at the provider moved, by currency.")
    payouts = _listed(PaidOutView, "The payouts of the month.")
    surplus = _listed(SurplusView, "What is to be given back, by currency.")
    cash = _listed(CashView, "How account 1111 moved, by kind of event.")
    control = control_field("What payments brought against the sales that cash was booked for.")
    rows = rows_of(ReconciledView, "In no particular order.")


@report(
    "/reconciliation",
    query=ReconciliationQuery,
    answer=ReconciliationView,
    refusals=(PeriodInvalid, NotFound),
)
def reconciliation(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Read whether payments, the provider's balance and payouts, and the books' cash agree.

    Line by line, in sums, and by payout. Each difference has a cause, where one can be told.
    """
    del caller
    month = month_of(query)
    span = {"month_first_on": month.first_on, "next_on": month.next_on}
    found = payments.reconcile(**span)
    cash = cash_moved(month)
    is_all = query["lines"] == "all"
    return {
        "period": str(month),
        **_told(found),
        "cash": cash,
        "control": compared(
            "sales",
            [CASH],
            reported=found.cash_expected.items(),
            books=((moved.currency, moved.amount) for moved in cash if moved.kind == "sale"),
        ),
        "rows": payments.reconciliation_lines(**span) if is_all else found.differences,
    }


def _told(found: Reconciliation) -> dict[str, Any]:
    counts: dict[str, int] = dict.fromkeys(_VERDICTS, 0)
    return {
        "fetched_until": found.fetched_until,
        "lines": counts | dict(found.lines),
        "charged": found.charged,
        "held": found.held,
        "payouts": found.payouts,
        "surplus": [
            {"currency": currency, "amount": amount}
            for currency, amount in sorted(found.surplus.items())
        ],
    }
