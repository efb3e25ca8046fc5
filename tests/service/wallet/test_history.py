"""The history explains every cup: all that came less all that went is what is there."""

from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import redemption
import vouchers
from kernel.transaction import snapshot, transaction
from redemption.history import Story
from tests.examples import examples
from tests.service.vouchers.refunds.shop import Shop
from tests.service.wallet.trading import VERBS, Trading

pytestmark = pytest.mark.usefixtures("books_hold")

# Whatever is tried, the first thing is a purchase: a wallet that was always empty proves little.
STEPS = st.lists(
    st.tuples(st.sampled_from(VERBS), st.integers(0, 1), st.integers(0, 23)),
    min_size=8,
    max_size=24,
).map(lambda steps: [("buy", 0, steps[0][2]), ("buy", 1, steps[1][2]), *steps])


def story(member_id: UUID, *, limit: int = 3) -> list[Story]:
    """The whole history, page by page, the newest first."""
    told: list[Story] = []
    while True:
        with snapshot():
            after = told[-1].place if told else None
            page = redemption.list_history(member_id=member_id, limit=limit, after=after)
        told += page
        if len(page) < limit:
            return told


def assert_explained(shop: Shop, member_id: UUID) -> None:
    told, lots = story(member_id), shop.lots(member_id)
    with transaction():
        sums, balances = vouchers.add_up(member_id=member_id, limit=99, after=None, now=shop.now)
    held = sum(lot.units - lot.used for lot in lots)
    assert sum(one.cups for one in told) == held == sums.cups + sums.frozen + sums.ended
    assert sum(one.left for one in balances) == sums.cups + sums.frozen
    assert [one.left for one in told] == _counted_up(told)
    cups, amounts = Counter[UUID](), Counter[UUID]()
    for part in (part for one in told for part in one.parts):
        cups[part.lot_id] += part.cups
        amounts[part.lot_id] += part.amount
    assert cups == Counter({lot.id: lot.units - lot.used for lot in lots})
    assert amounts == Counter({lot.id: lot.net - lot.net_recognised for lot in lots})
    for one in told:
        assert one.cups == sum(part.cups for part in one.parts)
        assert one.amount == sum(part.amount for part in one.parts)


def _counted_up(told: list[Story]) -> list[int]:
    left, counted = 0, []
    for one in reversed(told):
        left += one.cups
        counted.append(left)
    return counted[::-1]


@settings(
    max_examples=examples(3),
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_the_events_add_up_to_what_is_held_whatever_was_traded(shop, steps):
    trading = Trading(shop)
    for verb, who, number in steps:
        trading.act(verb, who, number)
    for member_id in trading.members:
        assert_explained(shop, member_id)


def test_a_whole_life_of_a_pack_is_told_with_its_money(shop):
    alice, bob = (shop.world.add_member() for _ in range(2))
    trading = Trading(shop)
    trading.members = [alice, bob]
    for verb, who, number in [
        ("buy", 0, 0),
        ("take", 0, 1),
        ("undo", 0, 0),
        ("take", 0, 1),
        ("give", 0, 2),
        ("claim", 1, 0),
        ("give", 0, 0),
        ("withdraw", 0, 1),
        ("give_back", 0, 1),
        ("dispute", 0, 1),
    ]:
        trading.act(verb, who, number)
    assert [(one.kind, one.cups, one.left, one.paid) for one in reversed(story(alice))] == [
        ("sale", 11, 11, 1000),
        ("redemption", -2, 9, None),
        ("void", 2, 11, None),
        ("redemption", -2, 9, None),
        ("gift", -3, 6, None),
        ("gift", -1, 5, None),
        ("gift_return", 1, 6, None),
        ("refund", -2, 4, -182),
        ("dispute_opened", 0, 4, -1000),
        ("dispute_lost", -4, 0, None),
    ]
    assert [(one.kind, one.cups) for one in reversed(story(bob))] == [
        ("claim", 3),
        ("dispute_lost", -3),
    ]


def test_a_refunded_gift_whose_cups_had_left_before_takes_none(shop):
    alice = shop.world.add_member()
    shop.buy(alice, again=1)
    with transaction():
        vouchers.give(giver_id=alice, cups=2, now=shop.now)
    trading = Trading(shop)
    trading.day += timedelta(days=60)
    trading.act("wait", 0, 0)
    refund, given, _ = story(alice)
    assert (given.cups, given.left) == (-2, 5)
    assert (refund.kind, refund.cups, refund.left) == ("refund", 0, 5)
    assert refund.paid is not None
    assert refund.paid < 0
    assert_explained(shop, alice)
