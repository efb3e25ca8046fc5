"""Whatever tills do and when it becomes known: day sheets, settlement and books say the same."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

import redemption
from kernel.db import db
from kernel.errors import Refusal
from kernel.transaction import snapshot, transaction
from ledger import policy
from ledger.models import BookMonth, Line
from ledger.month import Month
from ledger.reports import settlement_matrix
from redemption.day import Sheet, day_sheet
from redemption.errors import TopUpDue
from redemption.models import OfflineItem, Redemption, RedemptionLine
from redemption.offline import allowed_for, resolve
from tests.examples import examples
from tests.service.redemption.offline.field import Branch, bring, fill, show
from tests.service.redemption.tills import price
from tests.world import World
from vouchers.models import Lot

pytestmark = pytest.mark.usefixtures("books_hold")

STORES = "ABC"
MONTHS = [Month.of(date(2026, number, 1)) for number in (1, 2, 3)]
ANYBODY = UUID(int=1), UUID(int=2)

stores, members = st.integers(0, 2), st.integers(0, 1)
moves = st.lists(
    st.one_of(
        st.tuples(
            st.just("take"),
            stores,
            members,
            st.integers(0, 3),
            st.integers(0, 2),
            st.integers(0, 60),
        ),
        st.tuples(st.just("undo"), st.integers(0, 20), st.integers(1, 3), st.integers(0, 23)),
        st.tuples(st.just("undo late"), st.integers(0, 20), st.integers(0, 2), st.integers(2, 20)),
        st.tuples(
            st.just("serve"), stores, members, st.integers(1, 2), st.booleans(), st.integers(0, 60)
        ),
        st.tuples(st.just("upload"), st.integers(0, 3), st.integers(1, 3)),
        st.tuples(st.just("decide"), st.integers(0, 5), st.integers(0, 2)),
    ),
    min_size=5,
    max_size=16,
)


class Chain:
    """What happens at three stores, to two wallets."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.members = [world.add_member() for _ in range(2)]
        for member_id in self.members:
            world.add_lot(member_id, "eleven", store="A", units=3, net=130, vat=6)
            world.add_lot(member_id, "fifty", store="B", units=4, net=173, vat=8)
            world.add_lot(member_id, "cash", store="C", units=2, net=100, vat=0)
            world.add_lot(member_id, "untaxed", store="C", units=2, net=100, vat=0)
            world.add_days(member_id, "endless", store="B", net=476, vat=24)
        self.tills = [world.add_till(store, role="manager") for store in STORES]
        self.branches = [Branch(world, store) for store in STORES]
        self.capsules = [fill(world, member_id, cups=2) for member_id in self.members * 2]
        self.waiting: list[dict[str, str]] = []
        self.taken: list[UUID] = []
        self.latest = 60 * 60

    def play(self, move: tuple) -> None:
        """Do what is wanted, if it can be done."""
        name, *rest = move
        try:
            getattr(self, name.replace(" ", "_"))(*rest)
        except Refusal:
            db.session.rollback()

    def take(self, store: int, member: int, lattes: int, mochas: int, hours: int) -> None:
        drinks = {"latte": lattes, "mocha": mochas}
        asked = {
            "now": self.world.now + timedelta(hours=hours),
            "drinks": {name: cups for name, cups in drinks.items() if cups} or {"latte": 1},
        }
        till, member_id = self.tills[store], self.members[member]
        try:
            redeemed = self.world.take(till, member_id, **asked)
        except TopUpDue as refusal:
            redeemed = self.world.take(till, member_id, top_up=refusal.facts["due"], **asked)
        self.taken.append(UUID(redeemed.id))

    def undo(self, which: int, cups: int, hours: int) -> None:
        found, items = self._of(which, cups)
        with transaction():
            redemption.void(
                redemption_id=found.id,
                store_id=found.store_id,
                staff_id=self.tills[0].staff_id,
                role="manager",
                items=items,
                now=found.redeemed_at + timedelta(hours=hours),
            )

    def undo_late(self, which: int, cups: int, days: int) -> None:
        found, items = self._of(which, cups)
        asked_by, approved_by = ANYBODY
        now = found.redeemed_at + timedelta(days=days)
        with transaction():
            asked = redemption.ask_late_void(
                redemption_id=found.id, items=items, reason="wrong", asked_by_id=asked_by, now=now
            )
            redemption.approve_late_void(late_void_id=asked.id, approved_by_id=approved_by, now=now)

    def serve(self, store: int, member: int, cups: int, is_latte: bool, hours: int) -> None:
        at = self.world.now + timedelta(hours=hours % 24, seconds=len(self.waiting))
        drink = self.world.products["latte" if is_latte else "mocha"]
        shown = show(self.capsules[member + hours % 2 * 2], at)
        self.waiting.append(self.branches[store].write(shown, cups, at=at, product=drink))

    def upload(self, first: int, many: int) -> None:
        brought = self.waiting[first : first + many]
        self.latest += 1
        if brought:
            bring(self.world, *brought, after=self.latest)

    def decide(self, which: int, remedy: int) -> None:
        with transaction():
            open_ones = db.session.scalars(
                select(OfflineItem)
                .where(OfflineItem.outcome != "applied", OfflineItem.resolved_at.is_(None))
                .order_by(OfflineItem.served_at)
            ).all()
            if not open_ones:
                return
            row = open_ones[which % len(open_ones)]
            assert row.reason is not None
            remedies = allowed_for(row.reason)
            self.latest += 1
            resolve(
                device_id=row.device_id,
                number=row.number,
                item_hash=row.hash,
                remedy=remedies[remedy % len(remedies)],
                note=None,
                staff_id=self.tills[0].staff_id,
                role="finance",
                now=self.world.now + timedelta(minutes=self.latest),
            )

    def _of(self, which: int, cups: int) -> tuple[Redemption, dict[UUID, int] | None]:
        """A redemption, and cups of its first drink; none for all of it."""
        with transaction():
            all_ids = db.session.scalars(select(Redemption.id).order_by(Redemption.id)).all()
            if not all_ids:
                raise Refusal
            found = db.session.scalars(
                select(Redemption).where(Redemption.id == all_ids[-1 - which % len(all_ids)])
            ).one()
            db.session.expunge(found)
        return found, None if cups == 0 else {self.world.products["latte"]: cups}


@settings(
    max_examples=examples(4),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(played=moves)
def test_day_sheets_settlement_and_books_say_the_same(world: World, played: list) -> None:
    """For any redemptions, voids of any part, late ones, uploads in any order, and decisions."""
    if "fifty" not in world.offers:
        price(world.products["mocha"], 80)
        world.add_offer("fifty", product=None, covers_up_to=50, allows_top_up=True)
        world.add_offer("cash", vat_timing="redemption")
        world.add_offer(
            "untaxed", product=None, covers_up_to=40, allows_top_up=True, vat_code="zero"
        )
        endless = {"kind": "plan", "is_unlimited": True, "cups": 0, "bonus_cups": 0}
        world.add_offer("endless", **endless, cups_per_day=1)
    chain = Chain(world)
    for move in played:
        chain.play(move)
    chain.upload(0, len(chain.waiting))
    agree()


def test_they_agree_over_a_month_that_was_left(world: World) -> None:
    """What is undone after that is booked in the next month; the sheet of its day tells of it."""
    till, alice = world.add_till("B", role="manager"), world.add_member()
    world.add_lot(alice, "eleven", store="A")
    redeemed = world.take(till, alice, 3)
    with transaction():
        db.session.add(BookMonth(first_on=date(2026, 1, 1), state="soft", version=1))
    with transaction():
        asked = redemption.ask_late_void(
            redemption_id=UUID(redeemed.id),
            items={world.products["latte"]: 1},
            reason="wrong",
            asked_by_id=ANYBODY[0],
            now=world.now + timedelta(days=30),
        )
        redemption.approve_late_void(
            late_void_id=asked.id,
            approved_by_id=ANYBODY[1],
            now=world.now + timedelta(days=30),
        )
    agree()
    by_month = [owed.amount for month in MONTHS for owed in _matrix(month)]
    assert by_month == [130, -43, 0]  # March opens with the two of them


def test_the_hours_after_midnight_are_of_the_day_before_and_booked_on_the_next(
    world: World,
) -> None:
    """So at the end of a month, sheets and books differ by these; in sum they agree."""
    till, alice = world.add_till("B"), world.add_member()
    world.add_lot(alice, "eleven", store="A")
    world.take(till, alice, 1, now=datetime(2026, 1, 31, 18, tzinfo=UTC))  # two at night in Taipei
    agree()
    (told,) = all_sheets()
    assert (told.day.on, [len(_matrix(month)) for month in MONTHS]) == (
        date(2026, 1, 31),
        [0, 1, 1],
    )


def agree() -> None:
    """Cups and their value by selling and making store, and what was paid besides.

    Cups that nobody counts are on the sheets, and by themselves they move no money: their plan is
    earned by the day, where it was sold.
    """
    told = all_sheets()
    for one in told:
        assert _totals(one.by_product) == _totals(one.by_hour) == _totals(one.by_clerk)
        assert _totals(one.by_product) == _totals(one.by_seller)
    made = _made(told)
    assert made == _booked()
    across = {key: moved for key, moved in made.items() if key[0] != key[1]}
    assert across == _settled()
    assert _topped_up(told) == _paid()
    assert sum(one.cups for sheet in told for one in sheet.day.offline) == _served()


def all_sheets() -> list[Sheet]:
    """All that there are."""
    with snapshot():
        days = {
            (store_id, on)
            for model in (Redemption, OfflineItem)
            for store_id, on in db.session.execute(select(model.store_id, model.business_day))
        }
        return [day_sheet(store_id=store_id, on=on) for store_id, on in days]


def _totals(sums: Iterable) -> tuple[int, ...]:
    each = [(one.cups, one.cups_voided, one.amount, one.top_up) for one in sums]
    return tuple(sum(column) for column in zip(*each, strict=True))


def _made(sheets: Iterable[Sheet]) -> dict:
    made: dict = defaultdict(lambda: (0, 0))
    for told in sheets:
        for one in told.by_seller:
            _add(made, (one.of, told.day.store_id), one.cups_kept, one.amount)
    for key, cups in _uncounted().items():
        _add(made, key, -cups, 0)
    return _moved(made)


def _uncounted() -> dict:
    """From every line of a lot without a count, of what stands."""
    cups: dict = defaultdict(int)
    with transaction():
        lines = (
            select(RedemptionLine, Lot.store_id, Redemption.store_id)
            .join(Redemption, Redemption.id == RedemptionLine.redemption_id)
            .join(Lot, Lot.id == RedemptionLine.lot_id)
            .where(Lot.units == 0)
        )
        for line, sold_at_id, made_at_id in db.session.execute(lines):
            cups[sold_at_id, made_at_id] += line.cups - line.cups_voided
    return cups


def _booked() -> dict:
    """From every line by which cups became revenue, and the VAT of those that are taxed then."""
    made: dict = defaultdict(lambda: (0, 0))
    owed, earned = (
        (policy.VOUCHERS, policy.PLANS, policy.DUE_FROM_STORE),
        (policy.CUPS, policy.OUTPUT_VAT),
    )
    for line in _lines():
        key = (line.counterpart_store_id or line.store_id, line.store_id)
        if line.debit in owed and line.credit in earned:
            _add(made, key, line.qty, line.amount)
        if line.debit in earned and line.credit in owed:
            _add(made, key, -line.qty, -line.amount)
    return _moved(made)


def _settled() -> dict:
    """From what stores owe one another, in all months."""
    made: dict = defaultdict(lambda: (0, 0))
    for month in MONTHS:
        for owed in _matrix(month):
            _add(made, (owed.sold_at_id, owed.made_at_id), owed.cups, owed.amount)
    return _moved(made)


def _matrix(month: Month) -> list:
    with snapshot():
        return list(settlement_matrix(month))


def _topped_up(sheets: Iterable[Sheet]) -> dict:
    paid: dict = defaultdict(int)
    for told in sheets:
        paid[told.day.store_id] += sum(one.top_up for one in told.by_product)
    return {store_id: amount for store_id, amount in paid.items() if amount}


def _paid() -> dict:
    """From every line of money that a till took for a drink."""
    paid: dict = defaultdict(int)
    for line in _lines():
        if line.lot_id is None and policy.CASH in (line.debit, line.credit):
            paid[line.store_id] += line.amount if line.debit == policy.CASH else -line.amount
    return {store_id: amount for store_id, amount in paid.items() if amount}


def _served() -> int:
    with transaction():
        return sum(db.session.scalars(select(OfflineItem.cups)))


def _lines() -> list[Line]:
    with transaction():
        found = list(db.session.scalars(select(Line)))
        db.session.expunge_all()
        return found


def _add(made: dict, key: tuple, cups: int, amount: int) -> None:
    before = made[key]
    made[key] = (before[0] + cups, before[1] + amount)


def _moved(made: dict) -> dict:
    return {key: moved for key, moved in made.items() if moved != (0, 0)}
