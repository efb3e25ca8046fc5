"""Monthly recurring revenue, what moved it, and what was kept of it."""

from typing import Any

from api.auth import OfficeCaller
from api.stats.asking import CellView, StatsView, answered, asked_for, statistic
from api.tables import column, rows_of
from subs.statistics import queries

FORMULAS = {
    "closing": "MRR at the end of the month (now, in the current one): over all subscriptions with"
    " a period running that is paid, or after a paid one is still asked for, the period's price"
    " without VAT on a month, rounded half up to minor units each: yearly / 12, monthly / months,"
    " weekly x 365.25 / 84 / weeks, daily x 365.25 / 12 / days; trials, pauses, free plans and"
    " packs are left out; opening: that of the month before",
    "new": "MRR of subscriptions that count at the end and not at the opening, and had not been"
    " paid for before",
    "reactivation": "the same, where the subscription had been paid for before the month (it"
    " rested or lapsed), or the member had had another that ended",
    "expansion": "increases of subscriptions that count at both ends; contraction: decreases",
    "churn": "MRR at the opening of subscriptions that do not count at the end",
    "moved": "MRR that came from other plans or versions less what went there; nothing over all;"
    " an increase on the way is the old plan's",
    "change": "closing = opening + new + reactivation + expansion - contraction - churn + moved",
    "logo_churn": "churned_count / opening_count; a logo is a subscription",
    "revenue_churn": "(contraction + churn) / opening",
    "gross_retention": "GRR: (opening - contraction - churn) / opening, of the month",
    "net_retention": "NRR: (opening + expansion - contraction - churn) / opening, of the month; no"
    " rate before the month is over (is_mature)",
}
_NONE_YET = "None if the month is not over."


class RevenueRow(CellView):
    """A month's revenue in one currency."""

    currency = column.Text("ISO 4217.")
    opening = column.Money("MRR at the end of the month before, in minor units without VAT.")
    new = column.Money("Of new subscriptions.")
    reactivation = column.Money("Of those that came back.")
    expansion = column.Money("Increases.")
    contraction = column.Money("Decreases, as a positive number.")
    churn = column.Money("Of those that were lost, as a positive number.")
    moved = column.Money("From other plans or versions; negative if to them.")
    closing = column.Money("MRR at the end of the month.")
    opening_count = column.Count("How many subscriptions: at the end of the month before.")
    new_count = column.Count("New ones.")
    reactivated_count = column.Count("Those that came back.")
    churned_count = column.Count("Those that were lost.")
    moved_count = column.Count("From other plans or versions.")
    closing_count = column.Count("At the end of the month.")
    is_mature = column.Flag("Whether the month is over.")
    logo_churn = column.Percent(_NONE_YET, allow_none=True)
    revenue_churn = column.Percent(_NONE_YET, allow_none=True)
    gross_retention = column.Percent(_NONE_YET, allow_none=True)
    net_retention = column.Percent(_NONE_YET, allow_none=True)


class RevenueView(StatsView):
    """Monthly recurring revenue."""

    rows = rows_of(RevenueRow, "By month, then by what was asked for, then by currency.")


@statistic("/revenue", answer=RevenueView)
def list_revenue(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Read the monthly recurring revenue and its movements, which add up to its change."""
    del caller
    return answered(FORMULAS, queries.list_revenue(asked_for(query)))
