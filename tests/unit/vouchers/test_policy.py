from hypothesis import given
from hypothesis import strategies as st

from kernel.money import without_vat
from vouchers.policy import Share, priced, with_own_bonus


@given(st.integers(1, 100_000), st.integers(0, 9_999), st.integers(1, 99))
def test_the_lots_of_a_line_add_up_to_it(price: int, basis_points: int, quantity: int) -> None:
    one = without_vat(price, basis_points=basis_points)
    line = priced(one, quantity=quantity)
    assert (line.net, line.vat) == (quantity * one.net, quantity * one.vat)
    assert line.gross == quantity * price == line.net + line.vat


def test_rounding_is_done_for_each_single_pack() -> None:
    assert priced(without_vat(499, basis_points=500), quantity=3).net == 3 * 475
    assert without_vat(3 * 499, basis_points=500).net == 1426


def test_a_bonus_that_ends_by_itself_carries_its_part_of_the_price() -> None:
    whole = Share(11, 476, 24)
    paid, bonus = with_own_bonus(whole, bonus_cups=1, use_bp=7_000)
    assert (paid, bonus) == (Share(10, 445, 22), Share(1, 31, 2))


@given(
    st.integers(2, 200), st.integers(0, 100_000), st.integers(0, 5_000), st.integers(0, 10_000),
    st.data(),
)  # fmt: skip
def test_paid_and_bonus_cups_add_up_to_the_pack(
    cups: int, net: int, vat: int, use_bp: int, choose: st.DataObject
) -> None:
    bonus_cups = choose.draw(st.integers(1, cups - 1))
    paid, bonus = with_own_bonus(Share(cups, net, vat), bonus_cups=bonus_cups, use_bp=use_bp)
    assert (paid.cups + bonus.cups, paid.net + bonus.net, paid.vat + bonus.vat) == (cups, net, vat)
    assert min(paid.net, paid.vat, bonus.net, bonus.vat) >= 0
