"""How long members stay."""

from typing import Any

from marshmallow import ValidationError, validates_schema

from api.auth import OfficeCaller
from api.fields import QueryInteger
from api.stats.asking import (
    MOST_MONTHS,
    CellView,
    StatsQuery,
    StatsView,
    answered,
    asked_for,
    months_in,
    statistic,
)
from api.tables import column, rows_of
from subs.statistics import queries

FORMULAS = {
    "retained": "sign-ups of the month that had not ended so many months (age) after they began;"
    " trials count from their beginning, pauses as staying",
    "retention": "retained / started; none before everybody in the cohort has had so many months"
    " (is_mature)",
}


class CohortsQuery(StatsQuery):
    """Which months of sign-up, and up to which age."""

    ages = QueryInteger(
        load_default=12,
        least=0,
        most=36,
        metadata={
            "description": "Up to so many months of age. By store, months x (ages + 1) is at"
            " most 36."
        },
    )

    @validates_schema
    def refuse_too_many_ages(self, asked: dict[str, Any], **_: Any) -> None:
        """Refuse more rows for each store than other statistics have, each age of a month one."""
        months = months_in(asked["first"], asked["last"])
        is_too_much = months * (asked["ages"] + 1) > MOST_MONTHS
        if asked["by"] == "store" and asked["store_id"] is None and is_too_much:
            raise ValidationError(
                f"By store, months x (ages + 1) is at most {MOST_MONTHS}: ask for fewer.", "ages"
            )


class CohortRow(CellView):
    """A month's sign-ups at an age."""

    age = column.Count("In months.")
    started = column.Count("Sign-ups in the month.")
    retained = column.Count("Those that had not ended at this age; so far, if not mature.")
    is_mature = column.Flag("Whether all of them have had so many months.")
    retention = column.Percent("From 0 to 1; none if not mature.", attribute="rate",
                               allow_none=True)  # fmt: skip


class CohortsView(StatsView):
    """Retention of cohorts."""

    rows = rows_of(CohortRow, "By month of the sign-up, then by what was asked for, then by age.")


@statistic("/cohorts", query=CohortsQuery, answer=CohortsView)
def list_cohorts(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Read how many of each month's sign-ups stayed, by their age in months."""
    del caller
    ages = query.pop("ages")
    return answered(FORMULAS, queries.list_retention(asked_for(query), ages=ages))
