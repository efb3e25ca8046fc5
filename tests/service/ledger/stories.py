"""Random trade: any kind on any accounts, some of it late, folded and closed in between."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st
from sqlalchemy import select

import ledger
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from ledger.models import BookMonth, Entry, Unfolded
from ledger.models.book import KINDS
from ledger.month import Month
from ledger.policy import Pair
from ledger.service.balances import digest, write_month_balances
from ledger.service.fold import fold_some

MONTHS = [Month(date(2026, month, 1)) for month in range(1, 6)]
MOMENT = datetime(2026, 6, 1, tzinfo=UTC)
ASSETS = ["1111", "1171", "1172"]
LIABILITIES = ["2131", "2132", "2133", "2134", "2138", "2171", "2194"]
ACCOUNTS = [*ASSETS, *LIABILITIES, "4111", "4113", "4114", "4115", "own-1"]
DAYS = st.one_of(st.integers(0, 40), st.integers(0, 150)).map(
    lambda days: date(2026, 1, 1) + timedelta(days=days)
)

# numbers of stores and offers; None is neither
PAIRS = st.lists(
    st.tuples(
        st.permutations(ACCOUNTS).map(lambda accounts: accounts[:2]),
        st.integers(0, 2),
        st.one_of(st.none(), st.integers(0, 1)),
        st.booleans(),
        st.tuples(st.integers(0, 900), st.integers(0, 9)).filter(any),
    ),
    min_size=1,
    max_size=3,
)
POSTING = st.tuples(
    st.just("post"),
    st.sampled_from([kind for kind in KINDS if kind != "void"]),
    PAIRS,
    DAYS,
    st.sampled_from([0, 0, 3, 40]),
    st.sampled_from(["TWD", "TWD", "JPY"]),
)
STEP = st.one_of(
    POSTING,
    POSTING,
    POSTING,
    st.tuples(st.just("void"), st.integers(0, 20), DAYS),
    st.tuples(st.just("fold"), st.integers(1, 5)),
    st.tuples(st.just("close")),
    st.tuples(st.just("reopen")),
)
# A month is closed in the middle, so that what is posted afterwards may be late.
STORIES = st.builds(
    lambda before, after: [*before, ("close",), *after],
    st.lists(STEP, min_size=2, max_size=10),
    st.lists(STEP, min_size=5, max_size=20),
)


@dataclass
class Books:
    """What a story is played on."""

    stores: list[UUID]
    offers: list[UUID]
    posted: list[tuple[UUID, UUID]] = field(default_factory=list)

    def play(self, step: tuple) -> None:
        verb, *said = step
        with transaction():
            getattr(self, f"_{verb}")(*said)

    def _post(self, kind, pairs, occurred_on, late_by, currency):
        member_id = new_id()
        event = ledger.Event(
            member_id=member_id,
            kind=kind,
            source_id=new_id(),
            pairs=[self._pair(*pair) for pair in pairs],
            event_at=MOMENT,
            occurred_on=occurred_on,
            known_on=occurred_on + timedelta(days=late_by),
            currency=currency,
        )
        self.posted.append((member_id, ledger.post(event)))

    def _pair(self, accounts, store, offer, has_counterpart, moved):
        debit, credit = accounts
        return Pair(
            store_id=self.stores[store],
            debit=debit,
            credit=credit,
            amount=moved[0],
            qty=moved[1],
            counterpart_store_id=self.stores[store - 1] if has_counterpart else None,
            offer_id=None if offer is None else self.offers[offer],
        )

    def _void(self, which, known_on):
        if self.posted:
            member_id, entry_id = self.posted.pop(which % len(self.posted))
            day = max(known_on, db.session.get(Entry, (member_id, entry_id)).occurred_on)
            ledger.reverse(member_id=member_id, entry_id=entry_id, event_at=MOMENT, known_on=day)

    def _fold(self, limit):
        fold_some(limit=limit)

    def _close(self):
        """Close the next month: what the closing job does, but for its checks."""
        last = _latest_closed()
        month = MONTHS[0] if last is None else Month(last.first_on).next()
        if month in MONTHS[:4]:
            while db.session.scalar(select(Unfolded).where(Unfolded.book_date < month.next_on)):
                fold_some(limit=1_000)
            row = db.session.get(BookMonth, month.first_on)
            row = row or BookMonth(first_on=month.first_on, version=1)
            write_month_balances(month, row.version)
            row.state, row.closed_at, row.digest = "closed", MOMENT, digest(month, row.version)
            db.session.add(row)

    def _reopen(self):
        row = _latest_closed()
        if row is not None:
            row.state, row.closed_at, row.digest = "soft", None, None
            row.version += 1


def _latest_closed():
    closed = select(BookMonth).where(BookMonth.state == "closed")
    return db.session.scalar(closed.order_by(BookMonth.first_on.desc()).limit(1))
