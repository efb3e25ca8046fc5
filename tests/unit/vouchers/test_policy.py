from hypothesis import given
from hypothesis import strategies as st

from kernel.money import without_vat
from vouchers.policy import priced


@given(st.integers(1, 100_000), st.integers(0, 9_999), st.integers(1, 99))
def test_the_lots_of_a_line_add_up_to_it(price: int, basis_points: int, quantity: int) -> None:
    one = without_vat(price, basis_points=basis_points)
    line = priced(one, quantity=quantity)
    assert (line.net, line.vat) == (quantity * one.net, quantity * one.vat)
    assert line.gross == quantity * price == line.net + line.vat


def test_rounding_is_done_for_each_single_pack() -> None:
    assert priced(without_vat(499, basis_points=500), quantity=3).net == 3 * 475
    assert without_vat(3 * 499, basis_points=500).net == 1426
