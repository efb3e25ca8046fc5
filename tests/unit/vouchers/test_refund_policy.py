from dataclasses import replace
from datetime import date, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.money import without_vat
from vouchers.refund_errors import NotRefundable
from vouchers.refund_policy import Given, Pack, at_list_price, is_withdrawal, settled, way

SOLD = date(2026, 1, 5)
TAX = partial(without_vat, basis_points=500)
FIVE = Given(cups=5, net=433, vat=22, back=455, fee_bp=300, is_taxed_at_sale=True, tax=TAX)
STARBUCKS = Pack(paid=1600, collected=0, given_back=0, unused=1600)


def withdrawn(*, days=0, channel="app", withdrawal_days=7):
    return is_withdrawal(
        channel=channel,
        sold_on=SOLD,
        today_on=SOLD + timedelta(days=days),
        withdrawal_days=withdrawal_days,
    )


def chosen(asked="request", *, within=False, basis="allocated", fee_bp=300):
    return way(asked, is_withdrawal=within, refund_basis=basis, refund_fee_bp=fee_bp)


def test_a_distance_sale_can_be_withdrawn_to_the_end_of_the_seventh_day_after_it():
    assert [withdrawn(days=days) for days in (0, 7, 8)] == [True, True, False]


def test_what_was_bought_at_the_counter_is_not_withdrawn():
    assert [withdrawn(channel=channel) for channel in ("web", "app", "counter", None)] == [
        True,
        True,
        False,
        False,
    ]


def test_terms_without_withdrawal_have_none_on_the_day_itself():
    assert not withdrawn(withdrawal_days=0)


@pytest.mark.parametrize("basis", ["allocated", "list_price", "none"])
def test_a_withdrawal_brings_all_back_without_a_fee_whatever_the_terms(basis):
    chose = chosen(within=True, basis=basis)
    assert (chose.reason, chose.basis, chose.fee_bp) == ("withdrawal", "allocated", 0)


def test_a_request_goes_by_the_terms():
    assert (chosen().basis, chosen().fee_bp) == ("allocated", 300)
    assert chosen(basis="list_price").basis == "list_price"


def test_nothing_comes_back_on_terms_that_say_so():
    with pytest.raises(NotRefundable):
        chosen(basis="none")


@pytest.mark.parametrize("asked", ["expiry", "gift_unclaimed"])
def test_what_the_chain_gives_back_by_itself_costs_no_fee(asked):
    assert (chosen(asked).fee_bp, chosen(asked, basis="list_price").basis) == (0, "list_price")


def test_goodwill_gives_all_back_without_a_fee():
    chose = chosen("goodwill", basis="none")
    assert (chose.basis, chose.fee_bp) == ("allocated", 0)


def test_e3_the_fee_of_13_is_12_and_its_vat():
    (back,) = settled([FIVE])
    assert (back.fee_net, back.fee_vat, back.payable) == (12, 1, 442)


@pytest.mark.parametrize(("collected", "unused", "back"), [(5, 1200, 1050), (15, 400, 0)])
def test_starbucks_by_its_list_price(collected, unused, back):
    pack = replace(STARBUCKS, collected=collected, unused=unused)
    assert at_list_price(pack, list_price=110, parts=[unused]) == [back]


def test_of_cups_that_were_given_on_each_has_its_share():
    pack = replace(STARBUCKS, collected=5, unused=1200)
    assert at_list_price(pack, list_price=110, parts=[800]) == [700]
    rest = Pack(paid=1600, collected=5, given_back=700, unused=400)
    assert at_list_price(rest, list_price=110, parts=[400]) == [350]


def test_cups_that_were_given_on_do_not_hide_what_was_collected():
    pack = Pack(paid=1600, collected=15, given_back=0, unused=400)
    assert at_list_price(pack, list_price=110, parts=[400]) == [0]


def test_what_is_kept_is_net_and_vat_as_the_cups_carried_them():
    one = replace(FIVE, net=1143, vat=57, back=1050, fee_bp=0)
    (back,) = settled([one])
    assert (back.kept_net, back.kept_vat, back.payable) == (143, 7, 1050)


def test_what_is_kept_of_a_cash_value_voucher_is_taxed_now():
    one = replace(FIVE, net=1200, vat=0, back=1050, fee_bp=0, is_taxed_at_sale=False)
    (back,) = settled([one])
    assert (back.kept_net, back.kept_vat) == (143, 7)


GIVEN = st.builds(
    lambda cups, net, vat, part, fee_bp, taxed: Given(
        cups, net, vat, (net + vat) * part // 100, fee_bp, taxed, TAX
    ),
    st.integers(1, 30),
    st.integers(0, 3000),
    st.integers(0, 150),
    st.integers(0, 100),
    st.sampled_from([0, 100, 300, 10_000]),
    st.booleans(),
)


@given(st.lists(GIVEN, min_size=1, max_size=6))
def test_lines_add_up_and_nothing_is_below_nothing(lines):
    done = settled(lines)
    for fee_bp in {one.fee_bp for one in lines}:
        of = [at for at, one in enumerate(lines) if one.fee_bp == fee_bp]
        fee = sum(done[at].fee_net + done[at].fee_vat for at in of)
        assert fee == sum(lines[at].back for at in of) * fee_bp // 10_000
    for one, back in zip(lines, done, strict=True):
        assert back.payable >= 0
        assert min(back.kept_net, back.kept_vat, back.fee_net, back.fee_vat) >= 0
        assert back.kept_net + back.kept_vat == one.net + one.vat - one.back
        if one.is_taxed_at_sale:
            assert back.net - back.kept_net - back.fee_net >= 0
            assert back.vat - back.kept_vat - back.fee_vat >= 0


@given(
    st.integers(0, 2000),
    st.integers(0, 30),
    st.integers(0, 2000),
    st.lists(st.integers(0, 500), min_size=1, max_size=5),
    st.integers(0, 500),
)
def test_no_part_brings_back_more_than_it_carries(paid, collected, given_back, parts, elsewhere):
    pack = Pack(paid, collected, given_back, sum(parts) + elsewhere)
    shares = at_list_price(pack, list_price=110, parts=parts)
    assert all(0 <= share <= part for share, part in zip(shares, parts, strict=True))
    assert sum(shares) <= max(0, paid - 110 * collected - given_back)
