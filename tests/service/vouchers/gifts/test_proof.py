"""What the checks of the gifts find when something was changed behind their back."""

import pytest

from tests.service.ledger.trade import check_everything, names
from vouchers import gift_proof

assert gift_proof  # it registers its checks


@pytest.fixture
def under_way(friends):
    """An open gift, a claimed one that was given on, one that came back."""
    carol = friends.world.add_member()
    friends.pass_on(3, by=friends.alice, to=friends.bob)
    friends.pass_on(1, by=friends.bob, to=carol)
    friends.withdraw(friends.give(2))
    friends.give(2)
    return friends


def test_nothing_is_found_where_all_is_well(under_way):
    assert check_everything() == []


_OF_OPEN = "FROM gift WHERE gift.id = gift_id AND gift.status = 'open'"
_CLOSED = "status = 'withdrawn', due_at = NULL, closed_at = given_at"
_OPEN = "status = 'open', due_at = ends_at, closed_at = NULL, claimed_by_id = NULL"


@pytest.mark.breaks_books
@pytest.mark.parametrize(
    "change",
    [
        f"UPDATE gift_item SET net = net + 1 {_OF_OPEN}",
        f"UPDATE gift_item SET cups = gift_item.cups + 1 {_OF_OPEN}",
        f"UPDATE gift SET {_CLOSED} WHERE status = 'open'",
        f"UPDATE gift SET {_OPEN} WHERE status = 'claimed'",
        f"UPDATE gift SET {_OPEN} WHERE status = 'withdrawn'",
    ],
)
def test_a_gift_that_the_books_do_not_know_so_is_found(under_way, tamper, change):
    tamper(change)
    assert "under_way_pool" in names(check_everything())


@pytest.mark.breaks_books
def test_a_line_on_another_lot_is_found(under_way, tamper):
    other = under_way.world.add_lot(under_way.alice, "eleven")
    tamper(f"UPDATE line SET lot_id = '{other}' WHERE credit = '2134' AND qty = 3")
    assert "under_way" in names(check_everything())


@pytest.mark.breaks_books
def test_what_is_under_way_is_proved_lot_by_lot(under_way, tamper):
    other = under_way.world.add_member()
    lot_id = under_way.world.add_lot(other, "eleven")
    under_way.give(2, by=other)
    shift = "UPDATE gift_item SET cups = gift_item.cups {} FROM gift WHERE gift.id = gift_id"
    tamper(
        f"{shift.format('- 1')} AND gift.status = 'open' AND lot_id = '{lot_id}'",
        f"{shift.format('+ 1')} AND gift.status = 'open' AND lot_id <> '{lot_id}'",
    )
    assert names(check_everything()) == {"under_way"}
