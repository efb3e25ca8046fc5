"""Act 8: finance reads what happened, and it must be what the rules say."""

from datetime import datetime, timedelta
from decimal import Decimal

from rich.box import SIMPLE
from rich.table import Table

from dev.tour import comparison
from dev.tour.comparison import Compared, Debt
from dev.tour.reading import NOTHING, Rates, read, read_rates
from dev.tour.story import Off
from dev.tour.tour import OFFERS, PLAN, Act, Tour
from kernel import clock

_COUNTED_AGAIN_AFTER = timedelta(minutes=61)
_COLUMNS = ("sold", "redeemed", "voided", "lapsed", "refunded")
_PLACES = Decimal("0.0001")


def read_the_books(tour: Tour) -> None:
    """Finance reads the deferred revenue and the settlement (E1, E2, E5)."""
    compare_books(tour)


def read_renewals(tour: Tour) -> None:
    """Finance reads the renewal rates, once they have been counted anew."""
    tour.move_clock(to=clock.now() + _COUNTED_AGAIN_AFTER)
    compare_rates(tour)


def compare_books(tour: Tour) -> None:
    """Compare both reports with what this tour must have added to them.

    Raises:
        Off: with a sentence for each number that is off.
    """
    months = tour.months()
    after = read(tour.desks.of("finance"), months)
    rows = comparison.roll_forward(tour.before, after, tour.books, months, OFFERS)
    debts = comparison.settlement(tour.before, after, tour.books, months)
    wrong = [sentence for row in rows for sentence in row.wrong()]
    wrong += [sentence for debt in debts for sentence in debt.wrong()]
    if wrong:
        raise Off("\n".join(["The books are off.", *wrong, _HINT]))
    tour.story.show(_movements(rows))
    tour.story.show(_debts(debts))
    tour.story.check("numbers of the roll-forward that are off", expected=0, seen=len(wrong))
    tour.story.tell(f"{len(rows) * len(NOTHING)} were compared, and {len(debts)} debts of stores")


def compare_rates(tour: Tour) -> None:
    """Compare the renewal rates of the months in which this tour's periods have ended.

    They are counted every hour, so it waits for a count that is younger than the clock's last move.
    """
    finance, months = tour.desks.of("finance"), tour.months()

    def counted_anew() -> Rates | None:
        rates = read_rates(finance, plan=PLAN, first=months[0], last=months[-1])
        return rates if rates.is_since(tour.moved_at) else None

    rates = tour.story.wait("the statistics job has counted", counted_anew)
    for month, expected in sorted(tour.books.cohorts.items()):
        was = tour.rates_before.counts(month)
        seen = [now - then for now, then in zip(rates.counts(month), was, strict=True)]
        tour.story.check(
            f"of the periods that ended in {month}: due, renewed on time, renewed at all",
            expected=[expected.due, expected.on_time, expected.renewed],
            seen=seen,
        )
        _check_rate(tour, rates, month)


def _check_rate(tour: Tour, rates: Rates, month: str) -> None:
    """A rate is told once the grace of its whole cohort is over, and not before."""
    told, (due, _, renewed) = rates.by_month[month], rates.counts(month)
    if not rates.is_since(datetime.fromisoformat(told["matures_at"])):
        what = f"a rate of {month} before {told['matures_at']}"
        tour.story.check(what, expected=None, seen=told["renewal_rate"])
        return
    rate = Decimal(renewed) / due
    tour.story.check(
        f"the renewal rate of {month}, {renewed} of {due}",
        expected=rate.quantize(_PLACES),
        seen=Decimal(told["renewal_rate"]),
    )


def _movements(rows: list[Compared]) -> Table:
    table = Table(title="Deferred revenue, what this tour added: NT$ (cups)", box=SIMPLE)
    table.padding = (0, 1, 0, 0)
    for column in ("month", "at", "offer"):
        table.add_column(column, no_wrap=True)
    for column in (*_COLUMNS, "closing now"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        added = [row.added(kind) for kind in _COLUMNS]
        if any(money or cups for cups, money in added):
            cells = [f"{money:,} ({cups})" for cups, money in added]
            closing = f"{row.seen['closing']:,} ({row.seen['cups_closing']})"
            table.add_row(*row.place, *cells, closing)
    return table


def _debts(debts: list[Debt]) -> Table:
    table = Table(title="Settlement, what this tour added: NT$ (cups)", box=SIMPLE)
    for column in ("month", "owes", "is owed"):
        table.add_column(column)
    table.add_column("amount", justify="right")
    for debt in debts:
        cups, money = debt.seen
        if cups or money:
            table.add_row(*debt.place, f"{money:,} ({cups})")
    return table


_HINT = (
    "If somebody else bought, redeemed or renewed here meanwhile, that is in these differences: "
    "play the tour alone, or begin anew with `make reset`."
)

ACT = Act("8  Finance reads the books", (read_the_books, read_renewals))
