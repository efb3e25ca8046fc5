"""How many were renewed."""

from typing import Any

from api.auth import OfficeCaller
from api.stats.asking import CellView, StatsView, answered, asked_for, statistic
from api.tables import column, rows_of
from subs.statistics import queries

RENEWALS = {
    "due": "paid periods whose end fell in the month, cancelled or not; where a pause began at that"
    " end, its end counts; trials and free plans do not",
    "on_time_rate": "on_time / due; on_time: the next period was paid at the first attempt, in the"
    " plan's grace",
    "renewal_rate": "renewed / due; renewed: the next period was paid by the end of the plan's"
    " grace; no rate before that has passed for all of them (is_mature)",
}
REPORTED = {
    "due": "periods of yearly plans that ended 7 to 18 months before the end of the month (Costco's"
    " definition, so that late renewals are in)",
    "renewal_rate": "renewed / due; renewed: the next period was paid by the end of the month,"
    " however late, or the member had bought the plan anew",
}


class RenewalRow(CellView):
    """What fell due in a month."""

    due = column.Count("Periods that fell due.")
    on_time = column.Count("Renewed at the first attempt.")
    renewed = column.Count("Renewed by the end of the grace.")
    is_mature = column.Flag("Whether the grace of all of them had passed.")
    matures_at = column.Moment("When that is, or was.")
    on_time_rate = column.Percent("From 0 to 1; none if not mature.", allow_none=True)
    renewal_rate = column.Percent("From 0 to 1; none if not mature.", allow_none=True)


class RenewalsView(StatsView):
    """Renewal rates."""

    rows = rows_of(RenewalRow, "By month, then by what was asked for.")


class YearlyRow(CellView):
    """Yearly plans at the end of a month."""

    due = column.Count("Periods that ended 7 to 18 months before.")
    renewed = column.Count("Renewed by the end of the month.")
    renewal_rate = column.Percent("From 0 to 1.", allow_none=True)


class YearlyView(StatsView):
    """Renewal rates of yearly plans."""

    rows = rows_of(YearlyRow, "By month, then by what was asked for.")


@statistic("/renewals", answer=RenewalsView)
def list_renewal_rates(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Read how many periods were renewed, on time and by the end of grace.

    Counted from the periods themselves, so the same periods always give the same numbers.
    """
    del caller
    return answered(RENEWALS, queries.list_renewals(asked_for(query)))


@statistic("/yearly-renewals", answer=YearlyView)
def list_yearly_renewals(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Read how many yearly plans were renewed, as of the ends of months that are over."""
    del caller
    return answered(REPORTED, queries.list_reports(asked_for(query)))
