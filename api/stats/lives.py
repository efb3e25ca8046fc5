"""Trials, dunning and endings."""

from typing import Any

from api.auth import OfficeCaller
from api.stats.asking import CellView, StatsView, answered, asked_for, statistic
from api.tables import column, rows_of
from subs.statistics import queries

TRIALS = {
    "conversion_rate": "converted / started; started: trials that began in the month; converted:"
    " their first period was paid, whenever; no rate while one of them may still be (is_mature)",
}
DUNNING = {
    "recovery_rate": "recovered / begun; begun: plans that became past due in the month; recovered:"
    " paid before they ended; no rate while one of them may still be (is_mature)",
}
ENDINGS = {
    "share": "ended / all that ended in the month (and plan, store or channel), for any reason",
}
_NONE_YET = "From 0 to 1; none if not mature."


class TrialRow(CellView):
    """The trials that began in a month."""

    started = column.Count("Trials that began.", attribute="begun")
    converted = column.Count("Paid for after the trial.", attribute="succeeded")
    undecided = column.Count("Not decided yet.")
    is_mature = column.Flag("Whether all are decided and the month is over.")
    conversion_rate = column.Percent(_NONE_YET, attribute="rate", allow_none=True)


class TrialsView(StatsView):
    """Trial conversion."""

    rows = rows_of(TrialRow, "By month, then by what was asked for.")


class DunningRow(CellView):
    """The plans that became past due in a month."""

    begun = column.Count("Plans that became past due.")
    recovered = column.Count("Paid before they ended.", attribute="succeeded")
    undecided = column.Count("Not decided yet.")
    is_mature = column.Flag("Whether all are decided and the month is over.")
    recovery_rate = column.Percent(_NONE_YET, attribute="rate", allow_none=True)


class DunningView(StatsView):
    """What dunning recovers."""

    rows = rows_of(DunningRow, "By month, then by what was asked for.")


class EndingRow(CellView):
    """What ended in a month for one reason."""

    cause = column.Text("What ended it: cancelled, not_paid and others.")
    reason = column.Text("What the member gave as a reason for cancelling; else the cause.")
    ended = column.Count("How many.")
    share = column.Percent("Of all that ended.", allow_none=True)
    is_mature = column.Flag("Whether the month is over.")


class EndingsView(StatsView):
    """Why plans ended."""

    rows = rows_of(EndingRow, "By month, then by what was asked for, cause and reason.")


@statistic("/trials", answer=TrialsView)
def list_trials(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Read how many trials were paid for, by the month in which they began."""
    del caller
    return answered(TRIALS, queries.list_trials(asked_for(query)))


@statistic("/dunning", answer=DunningView)
def list_dunning(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Read how many plans recovered that had become past due in a month."""
    del caller
    return answered(DUNNING, queries.list_dunning(asked_for(query)))


@statistic("/endings", answer=EndingsView)
def list_endings(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Read why plans ended, by the month of the end."""
    del caller
    return answered(ENDINGS, queries.list_endings(asked_for(query)))
