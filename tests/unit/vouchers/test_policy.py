from hypothesis import given
from hypothesis import strategies as st

from kernel.money import without_vat
from vouchers.policy import priced


@given(st.integers(1, 100_000), st.integers(0, 99), st.integers(1, 99))
def test_the_lots_of_a_line_add_up_to_it(price: int, vat_percent: int, quantity: int) -> None:
    line = priced(price=price, vat_percent=vat_percent, quantity=quantity)
    one = without_vat(price, vat_percent=vat_percent)
    assert (line.net, line.vat) == (quantity * one.net, quantity * one.vat)
    assert line.gross == quantity * price == line.net + line.vat


def test_rounding_is_done_for_each_single_pack() -> None:
    assert priced(price=499, vat_percent=5, quantity=3).net == 3 * 475
    assert without_vat(3 * 499, vat_percent=5).net == 1426
