"""Breakage: estimates of what will never be collected, and what was booked by them."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from api.auth import OfficeCaller, office
from api.fields import Id, Integer, Name, Schema, Text, Timestamp
from api.known import refuse_unknown_offers
from api.routing import Resource
from api.spans import PERIOD_PATTERN, month_named, period_field
from api.tables import TABLE, column, rows_of
from kernel import clock
from ledger.errors import EstimateInvalid, PeriodClosed, PeriodInvalid
from ledger.models import BreakageEstimate
from ledger.month import Month
from ledger.service import estimating

estimates = Resource(
    "breakage_estimates",
    "/v1/breakage-estimates",
    "Breakage estimates: how much of an offer will never be collected, by month and version.",
)
runs = Resource(
    "breakage_runs", "/v1/breakage-runs", "Breakage runs: what was booked at a month's end."
)

_FINANCE = office("finance", "admin")
_METHODS = ("off", "proportional", "remote")
_AS_MONTH = {"pattern": PERIOD_PATTERN, "example": "2026-01"}
_METHOD = (
    "`off`: nothing is estimated; `proportional`: recognised as the rest is collected;"
    " `remote`: what is left will hardly ever be collected."
)


class EstimateBody(Schema):
    """How much of an offer will not be collected, from a month on."""

    offer_id = Id(required=True, metadata={"description": "Of which offer."})
    period = period_field("From which month on; it must not be closed.")
    method = Text(
        required=True, validate=validate.OneOf(_METHODS), metadata={"description": _METHOD}
    )
    basis_points = Integer(
        load_default=None,
        least=0,
        most=9_999,
        metadata={
            "description": "Hundredths of a percent of all that was sold; with `proportional`,"
            " and only with it."
        },
    )
    reason = Name(
        required=True, most=500, metadata={"description": "On what it rests, for auditors."}
    )

    @validates_schema
    def _rate_is_given(self, body: dict[str, Any], **_: Any) -> None:
        if body["method"] == "proportional" and body["basis_points"] is None:
            raise ValidationError("Missing data for required field.", "basis_points")


class EstimateView(Schema):
    """An estimate; the highest version of the latest month holds."""

    offer_id = Id(required=True, metadata={"description": "Of which offer."})
    period = Text(required=True, metadata={"description": "From which month on.", **_AS_MONTH})
    version = Integer(required=True, metadata={"description": "Of this month's estimate."})
    method = Text(
        required=True, validate=validate.OneOf(_METHODS), metadata={"description": _METHOD}
    )
    basis_points = Integer(required=True, metadata={"description": "Hundredths of a percent."})
    reason = Text(required=True, metadata={"description": "On what it rests."})
    made_by_id = Id(required=True, metadata={"description": "Who of the staff."})
    made_at = Timestamp(required=True, metadata={"description": "When."})


class EstimatesView(Schema):
    """All estimates there ever were."""

    items = fields.List(
        fields.Nested(EstimateView),
        required=True,
        metadata={"description": "By offer, the latest month and version first."},
    )


class RunsQuery(Schema):
    """Which month."""

    period = period_field()


class RunRow(Schema):
    """What was booked for an offer at a store at the end of a month, and from which figures."""

    offer_id = column.Id("Of which offer.")
    store_id = column.Id("Of which store that sold it.")
    account = column.Text("2131 vouchers, 2132 plans.")
    run = column.Count("Which run of the month, from 1.")
    estimate_version = column.Count("By which version of the estimate.")
    sold = column.Money("What was sold since the beginning, in minor units, net of VAT.")
    cups_sold = column.Cups("The same in cups.")
    redeemed = column.Money("What the collected cups carried.")
    cups_redeemed = column.Cups("How many these are.")
    recognised = column.Money("Breakage to date.")
    amount = column.Money("What this run booked of it.")
    entry_id = column.Id("Its entry, with the zero id as its owner; none if it booked nothing.",
                         allow_none=True)  # fmt: skip
    made_at = column.Moment("When.")


class RunsView(Schema):
    """What was booked as breakage at the end of a month."""

    period = Text(required=True, metadata={"description": "The month.", **_AS_MONTH})
    rows = rows_of(RunRow, "By offer, store, account and run.")


@estimates.get("", guard=_FINANCE, answer=EstimatesView)
def list_estimates(*, caller: OfficeCaller) -> dict[str, Any]:
    """List the estimates, all of them: what was booked by an earlier one can be proved by it."""
    del caller
    return {"items": [_told(estimate) for estimate in estimating.list_estimates()]}


@estimates.put(
    "",
    guard=_FINANCE,
    body=EstimateBody,
    answer=EstimateView,
    refusals=(PeriodInvalid, PeriodClosed, EstimateInvalid),
)
def set_estimate(*, caller: OfficeCaller, body: dict[str, Any]) -> dict[str, Any]:
    """Estimate an offer's breakage from a month on; once more for a month is a new version.

    What it changes is caught up with at the end of that month, never before it.
    """
    refuse_unknown_offers({"offer_id": body["offer_id"]})
    estimate = estimating.set_estimate(
        offer_id=body["offer_id"],
        month=month_named(body["period"]),
        method=body["method"],
        basis_points=body["basis_points"] or 0,
        reason=body["reason"],
        by_id=caller.staff_id,
        now=clock.now(),
    )
    return _told(estimate)


@runs.get(
    "",
    guard=_FINANCE,
    query=RunsQuery,
    answer=RunsView,
    transaction="snapshot",
    produces=TABLE,
    refusals=(PeriodInvalid,),
)
def list_runs(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Read what was booked as breakage at the end of a month, and from which figures."""
    del caller
    month = month_named(query["period"])
    return {"period": str(month), "rows": estimating.list_runs(month)}


def _told(estimate: BreakageEstimate) -> dict[str, Any]:
    return {
        "offer_id": estimate.offer_id,
        "period": str(Month(estimate.first_on)),
        "version": estimate.version,
        "method": estimate.method,
        "basis_points": estimate.basis_points,
        "reason": estimate.reason,
        "made_by_id": estimate.made_by_id,
        "made_at": estimate.made_at,
    }
