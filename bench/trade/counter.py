"""What happens at the counters and in the app: sales, cups handed over, voids, and the rest."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from random import Random
from uuid import UUID

from dateutil.relativedelta import relativedelta

import ledger
import redemption
from bench.trade import moves
from bench.trade.agenda import Agenda, moment
from bench.trade.chain import Chain, Sold
from bench.trade.shoppers import Shopper
from kernel.errors import Refusal
from kernel.ids import new_id
from kernel.transaction import transaction
from ledger.month import Month
from redemption import Asked, Redeemed, Scan
from vouchers import issue_lot, place_order
from vouchers.service.expiry import expire_some
from vouchers.service.fulfil import fulfil
from vouchers.service.order import Wanted

_WEEKDAYS = (0.9, 0.9, 0.95, 1.0, 1.3, 1.4, 1.1)
_HOURS = {8: 6, 9: 5, 10: 5, 11: 8, 12: 12, 13: 10, 14: 9, 15: 10, 16: 8, 17: 7, 18: 7, 19: 6}
_HOURS |= {20: 5, 21: 3}
_CUPS = (1, 1, 1, 1, 1, 1, 2, 2, 3, 5)
_WALLETS_AT_ONCE = 1_000
_LATE, _LATE_VISITS = time(20, 30), 4


@dataclass(frozen=True, slots=True)
class Counters:
    """All that shoppers and clerks do, as appointments of the agenda."""

    chain: Chain
    shoppers: list[Shopper]
    agenda: Agenda
    chance: Random
    done: Counter[str]

    def start(self, first: Month) -> None:
        """Let everybody with a plan begin it within the first month."""
        for shopper in self.shoppers:
            for plan in (shopper.plan, shopper.daily):
                if plan is not None:
                    day = first.first_on + timedelta(days=self.chance.randrange(28))
                    starts_at = moment(day, time(7, self.chance.randrange(60)))
                    self._renew_at(shopper, plan, starts_at)

    def plan_day(self, day: date) -> None:
        """Make the appointments of a day, from four in the morning."""
        if not self._is_expiry_down(day):
            self.agenda.at(moment(day, time(5)), self._lapse)
        for shopper in self.shoppers:
            if self.chance.random() < shopper.keenness * _WEEKDAYS[day.weekday()]:
                self.agenda.at(self._any_time(day), partial(self._visit, shopper))
        if _is_last(day):
            for shopper in self.chance.choices(self.shoppers, k=_LATE_VISITS):
                at = moment(day, time(21, self.chance.randrange(60)))
                self.agenda.at(at, partial(self._visit, shopper))
        self.agenda.at(moment(day, time(22, 30)), self._rare)
        self.agenda.at(moment(day, time(23, 30)), self._earn)

    def _is_expiry_down(self, day: date) -> bool:
        """Every other month the nightly job stands still in the last week, and then catches up."""
        return day.day >= 22 if day.month % 2 == 0 else day.day == 1

    def _any_time(self, day: date) -> datetime:
        (hour,) = self.chance.choices(list(_HOURS), list(_HOURS.values()))
        return moment(day, time(hour, self.chance.randrange(60), self.chance.randrange(60)))

    def _visit(self, shopper: Shopper, now: datetime) -> None:
        store = shopper.goes_to(self.chance)
        till = self.chain.tills[store]
        scan = Scan(
            shift_digest=till.shift_digest,
            code=shopper.code(now),
            items=(Asked(self.chain.drinks[shopper.drink], self.chance.choice(_CUPS)),),
            key=new_id().hex,
            fingerprint=b"the play's own",
        )
        try:
            redeemed = redemption.redeem(scan=scan, now=now)
        except Refusal as refusal:
            self.done[f"refused: {refusal.code}"] += 1
            self._buy(shopper, now)
            return
        self.done["redemption"] += 1
        self._afterwards(shopper, store, redeemed, now)

    def _afterwards(self, shopper: Shopper, store: int, redeemed: Redeemed, now: datetime) -> None:
        """Some cups are dearer, some are voided; on a month's last evening after it was closed."""
        is_last = _is_last(now.date())
        if self.chance.random() < (0.4 if is_last else 0.05):
            self._top_up(shopper, self.chain.stores[store], now)
        if is_last and now.time() > _LATE:
            if self.chance.random() < 0.5:
                self._void_at(now + timedelta(hours=23, minutes=50), store, redeemed)
        elif self.chance.random() < 0.02:
            self._void_at(now + timedelta(minutes=self.chance.randrange(1, 1200)), store, redeemed)
        if redeemed.left is not None and redeemed.left <= 2 and self.chance.random() < 0.5:
            self._buy(shopper, now)

    def _void_at(self, at: datetime, store: int, redeemed: Redeemed) -> None:
        """Undo all of it, or where there are several cups often one of them."""
        is_part = redeemed.cups > 1 and self.chance.random() < 0.5
        items = {UUID(redeemed.items[0]["product_id"]): 1} if is_part else None

        def void(now: datetime) -> None:
            with transaction():
                redemption.void(
                    redemption_id=UUID(redeemed.id),
                    store_id=self.chain.stores[store],
                    staff_id=self.chain.tills[store].manager_id,
                    role="manager",
                    now=now,
                    items=items,
                )
            self.done["part_void" if is_part else "void"] += 1

        self.agenda.at(at, void)

    def _buy(self, shopper: Shopper, now: datetime) -> None:
        """Buy a pack of the favourite drink, here or online; seldom one that ends."""
        fitting = [
            offer for offer in self.chain.of("pack", "ending") if shopper.drink in offer.drinks
        ]
        offer = self.chance.choice(fitting)
        store = self.chain.stores[self.chance.choice((0, shopper.home, shopper.home))]
        if offer.sort == "ending":
            self._issue(shopper, offer, store, now, ends_at=now + timedelta(days=45))
            return
        wanted = Wanted(offer_id=offer.id, quantity=self.chance.choice((1, 1, 1, 2)))
        with transaction():
            order = place_order(member_id=shopper.id, items=[wanted], store_id=store, now=now).order
        moves.pay(member_id=shopper.id, order_id=order.id, amount=order.total, now=now)
        with transaction():
            fulfil(order_id=order.id, paid_at=now, now=now)
        self.done["sale"] += wanted["quantity"]

    def _issue(
        self, shopper: Shopper, offer: Sold, store_id: UUID, now: datetime, *, ends_at: datetime
    ) -> None:
        is_pack = offer.sort == "ending"
        with transaction():
            price = ledger.taxed(offer.price, code=offer.vat_code, on=now.date())
            issue_lot(
                member_id=shopper.id,
                offer_version_id=offer.version_id,
                store_id=store_id,
                source="order_item" if is_pack else "period",
                source_id=new_id(),
                account=ledger.policy.VOUCHERS if is_pack else ledger.policy.PLANS,
                net=price.net,
                vat=price.vat,
                sold_at=now,
                ends_at=ends_at,
            )
        self.done["sale"] += 1

    def _renew_at(self, shopper: Shopper, plan: Sold, at: datetime) -> None:
        def renew(now: datetime) -> None:
            ends_at = now + relativedelta(months=1)
            self._issue(shopper, plan, self.chain.stores[0], now, ends_at=ends_at)
            if self.chance.random() < 0.9:
                self._renew_at(shopper, plan, ends_at)

        self.agenda.at(at, renew)

    def _lapse(self, now: datetime) -> None:
        while True:
            with transaction():
                lapsed = expire_some(limit=_WALLETS_AT_ONCE, now=now)
            self.done["lapse"] += lapsed
            if lapsed == 0:
                return

    def _earn(self, now: datetime) -> None:
        offers = {
            offer.id: offer.sort == "membership"
            for offer in self.chain.of("membership", "unlimited")
        }
        self.done["earning"] += moves.earn(offers=offers, now=now)

    def _top_up(self, shopper: Shopper, store_id: UUID, now: datetime) -> None:
        """A till without a network, as all are on a month's last day, tells of it days later."""
        gross = 5 * self.chance.randrange(1, 6)

        def told(later: datetime) -> None:
            moves.top_up(member_id=shopper.id, store_id=store_id, gross=gross, at=now, now=later)
            self.done["top_up"] += 1

        is_offline = _is_last(now.date()) or self.chance.random() < 0.1
        self.agenda.at(now + timedelta(days=3 if is_offline else 0), told)

    def _rare(self, now: datetime) -> None:
        """On some evenings somebody wants money back, gives cups away, or changes plans."""
        for wish in (self._refund, self._gift, self._dispute, self._change_plan, self._pay_late):
            if self.chance.random() < 0.25:
                wish(self.chance.choice(self.shoppers), now)

    def _refund(self, shopper: Shopper, now: datetime) -> None:
        with self._if_allowed("refund"):
            for refund_id in moves.refund(member_id=shopper.id, now=now):
                self.done["refund"] += 1
                self.agenda.at(now + timedelta(days=1), partial(self._pay_out, refund_id))

    def _pay_out(self, refund_id: UUID, now: datetime) -> None:
        moves.pay_out(refund_id=refund_id, now=now)
        self.done["payout"] += 1

    def _gift(self, shopper: Shopper, now: datetime) -> None:
        with self._if_allowed("gift"):
            gift_id = moves.give(member_id=shopper.id, cups=self.chance.randrange(1, 5), now=now)
            if gift_id is None:
                return
            self.done["gift"] += 1
            friend, fate = self.chance.choice(self.shoppers), self.chance.random()
            is_claimed = fate < 0.7 and friend is not shopper
            acts = (
                partial(self._claim, gift_id, friend)
                if is_claimed
                else partial(self._take_back, gift_id, shopper)
            )
            if fate < 0.9:  # the others never arrive
                self.agenda.at(now + timedelta(days=self.chance.randrange(1, 7)), acts)

    def _claim(self, gift_id: UUID, friend: Shopper, now: datetime) -> None:
        with self._if_allowed("claim"):
            moves.claim(gift_id=gift_id, member_id=friend.id, now=now)
            self.done["claim"] += 1

    def _take_back(self, gift_id: UUID, giver: Shopper, now: datetime) -> None:
        with self._if_allowed("gift_return"):
            moves.take_back(gift_id=gift_id, giver_id=giver.id, now=now)
            self.done["gift_return"] += 1

    def _pay_late(self, shopper: Shopper, now: datetime) -> None:
        offer = self.chance.choice(self.chain.of("pack"))
        payment_id = moves.pay_late(member_id=shopper.id, offer_id=offer.id, now=now)
        self.done["surplus"] += 1

        def arrived(later: datetime) -> None:
            moves.surplus_arrived(payment_id=payment_id, now=later)
            self.done["payout"] += 1

        self.agenda.at(now + timedelta(days=1), arrived)

    def _dispute(self, shopper: Shopper, now: datetime) -> None:
        dispute_id = moves.dispute(member_id=shopper.id, now=now)
        if dispute_id is None:
            return
        self.done["dispute_opened"] += 1
        is_lost = self.chance.random() < 0.5

        def decided(later: datetime) -> None:
            moves.decide(dispute_id=dispute_id, is_lost=is_lost, now=later)
            self.done["dispute_lost" if is_lost else "dispute_won"] += 1

        self.agenda.at(now + timedelta(days=20), decided)

    @contextmanager
    def _if_allowed(self, wish: str) -> Iterator[None]:
        """What the rooms refuse, because of a dispute say, is counted and left."""
        try:
            yield
        except Refusal as refusal:
            self.done[f"{wish} refused: {refusal.code}"] += 1

    def _change_plan(self, shopper: Shopper, now: datetime) -> None:
        price, cups = 100 * self.chance.randrange(1, 5) - 1, self.chance.randrange(1, 10)
        if moves.change_plan(member_id=shopper.id, cups=cups, price=price, now=now):
            self.done["transfer"] += 1


def _is_last(day: date) -> bool:
    return (day + timedelta(days=1)).day == 1
