"""What finance does: estimates, corrections by hand, payments between stores, and the closing."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from uuid import UUID

import chain as rooms
from bench.trade.agenda import Agenda, moment
from bench.trade.chain import Chain
from kernel.db import db
from kernel.transaction import transaction
from ledger import policy
from ledger.models import BookMonth
from ledger.month import Month
from ledger.pairing import Leg
from ledger.service import adjusting, closing, estimating, reopening, settling

_PROPORTIONAL, _REMOTE = 0, 3  # numbers of offers
_REOPENED = 1  # the second month is closed twice
_SOON = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Desk:
    """All that the two people at desks do, as appointments of the agenda."""

    chain: Chain
    agenda: Agenda
    chance: Random
    done: Counter[str]

    def start(self, months: list[Month]) -> None:
        """Make the appointments of all months.

        Every other month is closed at the first moment, so that what happens to its last cups on
        the next day comes too late for it; the others wait for three days, as soft ones.
        """
        opens_at = moment(months[0].first_on, time(2))
        self._estimate(_PROPORTIONAL, months[0], "proportional", 1_000, opens_at)
        self._estimate(_REMOTE, months[len(months) // 2], "remote", 0, opens_at)
        for number, month in enumerate(months):
            over_at = moment(month.next_on, time(20, 5))
            self._at(over_at, self._soften, month)
            closes_at = over_at + _SOON if number % 2 == 0 else over_at + timedelta(days=2)
            self._at(closes_at - _SOON / 2, self._adjust, month.last_on)
            self._at(closes_at, self._close, month)
            self._at(over_at + timedelta(days=1), self._adjust, month.next_on)
            self._at(over_at + timedelta(days=10), self._settle)
            if number == _REOPENED:
                self._at(closes_at + _SOON, self._reopen, month)
                self._at(closes_at + timedelta(days=1), self._close, month)

    def _at(self, at: datetime, act: Callable[..., object], *of: object) -> None:
        self.agenda.at(at, lambda now: act(*of, now=now))

    def _estimate(
        self, number: int, month: Month, method: estimating.Method, rate: int, now: datetime
    ) -> None:
        with transaction():
            estimating.set_estimate(
                offer_id=self.chain.offers[number].id,
                month=month,
                method=method,
                basis_points=rate,
                reason="The play's own estimate",
                by_id=self.chain.office[0],
                now=now,
            )

    def _soften(self, month: Month, *, now: datetime) -> None:
        with transaction():
            closing.soft_close(month=month, by_id=self.chain.office[0], now=now)

    def _close(self, month: Month, *, now: datetime) -> None:
        with transaction():
            closing.ask_to_close(month=month, by_id=self.chain.office[0], now=now)
        closing.close_asked(now=now)
        with transaction():
            closed = db.session.get_one(BookMonth, month.first_on)
        if closed.state != "closed":
            raise RuntimeError(f"{month} could not be closed: {closed.problem}")
        self.done["closed"] += 1

    def _reopen(self, month: Month, *, now: datetime) -> None:
        one, other = self.chain.office
        with transaction():
            wish = reopening.propose(month=month, reason="A late invoice", by_id=one, now=now)
        with transaction():
            reopening.approve(reopening_id=wish.id, by_id=other, now=now)
        self._adjust(month.last_on, now=now)
        self.done["reopened"] += 1

    def _adjust(self, book_date: date, *, now: datetime) -> None:
        """A bank's fee was booked nowhere."""
        amount = self.chance.randrange(1, 300)
        one, other = self.chain.office
        store_id = self.chance.choice(self.chain.stores)
        with transaction():
            proposed = adjusting.propose(
                book_date=book_date,
                currency="TWD",
                reason="Fees of the bank",
                lines=[
                    Leg(store_id, policy.CHARGEBACK_LOSS, "debit", amount),
                    Leg(store_id, policy.CASH, "credit", amount),
                ],
                by_id=one,
                now=now,
            )
        with transaction():
            adjusting.approve(adjustment_id=proposed.id, by_id=other, now=now)
        self.done["adjustment"] += 1

    def _settle(self, *, now: datetime) -> None:
        """Most stores pay what they owe, some a part, some nothing."""
        for payer_id in self.chain.stores:
            for payee_id in self.chain.stores:
                share = self.chance.choice((1.0, 1.0, 1.0, 0.5, 0.0))
                if payer_id != payee_id and share:
                    self._pay(payer_id, payee_id, share, now)

    def _pay(self, payer_id: UUID, payee_id: UUID, share: float, now: datetime) -> None:
        with transaction():
            owed = settling.find_owed(payer_id=payer_id, payee_id=payee_id, currency="TWD")
            amount = int(owed * share)
            if amount <= 0:
                return
            settling.pay(
                payer_id=payer_id,
                payee_id=payee_id,
                amount=amount,
                currency="TWD",
                paid_on=rooms.today_on(now),
                reference=f"{now:%Y-%m}",
                by_id=self.chain.office[0],
                now=now,
            )
        self.done["settlement"] += 1
