"""The worked examples of the books as pairs, each by the rule that books it, to the dollar."""

from itertools import pairwise
from uuid import UUID

from kernel.ids import new_id
from kernel.money import without_vat
from ledger import policy
from ledger.policy import Pair, Returned

A, B, C, D, W = (new_id() for _ in "ABCDW")
OFFER, LOT, NEXT_LOT = new_id(), new_id(), new_id()
OF_LOT = {"offer_id": OFFER, "lot_id": LOT}
VOUCHERS, PLANS = policy.VOUCHERS, policy.PLANS

Said = list[tuple[str, str, int, int]]
Told = list[tuple[UUID, str, str, int, int, UUID | None]]


def said(pairs: list[Pair]) -> Said:
    """What happened in one book: debit, credit, amount, cups."""
    return [(pair.debit, pair.credit, pair.amount, pair.qty) for pair in pairs]


def told(pairs: list[Pair]) -> Told:
    """What happened in which book, against whom."""
    return [
        (pair.store_id, pair.debit, pair.credit, pair.amount, pair.qty, pair.counterpart_store_id)
        for pair in pairs
    ]


def sale(store_id: UUID, gross: int, account: str, cups: int) -> list[Pair]:
    taxed = without_vat(gross, basis_points=500)
    return policy.sale(
        store_id=store_id, account=account, net=taxed.net, vat=taxed.vat, cups=cups, **OF_LOT
    )


def hand_over(
    cups: int, *, net: int, units: int, used: int, sold_at: UUID, made_at: UUID, account: str
) -> list[Pair]:
    before = policy.recognised(net=net, units=units, used=used)
    amount = policy.carried(net=net, units=units, used=used, net_recognised=before, cups=cups)
    return policy.hand_over(
        sold_at_id=sold_at, made_at_id=made_at, account=account, amount=amount, cups=cups, **OF_LOT
    )


def pack(cups: int, *, used: int, made_at: UUID) -> list[Pair]:
    return hand_over(
        cups, net=952, units=11, used=used, sold_at=A, made_at=made_at, account=VOUCHERS
    )


def plan(cups: int, *, used: int, made_at: UUID) -> list[Pair]:
    return hand_over(cups, net=475, units=10, used=used, sold_at=W, made_at=made_at, account=PLANS)


def test_e1_a_pack_is_sold():
    assert said(sale(A, 1000, VOUCHERS, 11)) == [
        ("1111", "2131", 952, 11),
        ("1111", "2194", 48, 0),
    ]


def test_e2_cups_made_where_they_were_sold_are_revenue_there():
    assert told(pack(3, used=0, made_at=A)) == [(A, "2131", "4111", 260, 3, None)]


def test_e2_cups_made_elsewhere_are_revenue_there_and_a_debt_between_the_stores():
    assert told(pack(2, used=3, made_at=B)) == [
        (A, "2131", "2171", 173, 2, B),
        (B, "1171", "4111", 173, 2, A),
    ]
    assert [pair.amount for pair in pack(1, used=5, made_at=C)] == [86, 86]


def test_e2_a_settlement_is_paid():
    assert told(policy.settlement(payer_id=A, payee_id=B, amount=173)) == [
        (A, "2171", "1111", 173, 0, B),
        (B, "1111", "1171", 173, 0, A),
    ]


def test_e3_a_refund_with_a_fee_and_its_payout():
    net = 952 - policy.recognised(net=952, units=11, used=6)
    vat = 22
    fee = without_vat((net + vat) * 3 // 100, basis_points=500)
    back = Returned(net=net, vat=vat, cups=5, fee_net=fee.net, fee_vat=fee.vat)
    assert said(policy.refund(back, store_id=A, account=VOUCHERS, **OF_LOT)) == [
        ("2131", "2133", 433, 5),
        ("2194", "2133", 22, 0),
        ("2133", "4114", 12, 0),
        ("2133", "2194", 1, 0),
    ]
    assert said(policy.payout(store_id=A, amount=back.payable)) == [("2133", "1111", 442, 0)]


def test_e4_breakage_is_recognised_in_the_proportion_of_what_is_collected():
    to_date = [
        policy.breakage_to_date(
            net=95_200, cups=1_100, redeemed=redeemed, cups_redeemed=cups, basis_points=rate
        )
        for cups, redeemed, rate in [
            (440, 38_080, 1_000),
            (704, 60_928, 800),
            (1_012, 87_584, 800),
        ]
    ]
    booked = [now - before for before, now in pairwise([0, *to_date])]
    assert booked == [4_231, 1_067, 2_318]
    assert said(policy.breakage(store_id=D, amount=4_231, offer_id=OFFER)) == [
        ("2138", "4113", 4_231, 0)
    ]


def test_e4_the_end_of_an_estimated_lot_only_clears_what_was_recognised():
    ended = policy.lapse(
        store_id=D, account=VOUCHERS, amount=7_616, cups=88, is_estimated=True, **OF_LOT
    )
    assert said(ended) == [("2131", "2138", 7_616, 88)]


def test_e4_a_lower_estimate_takes_back():
    assert said(policy.breakage(store_id=D, amount=-5, offer_id=OFFER)) == [("4113", "2138", 5, 0)]


def test_ifrs_15_example_52():
    first, second = (
        policy.breakage_to_date(
            net=8_676, cups=10_000, redeemed=0, cups_redeemed=points, basis_points=unused
        )
        for points, unused in [(4_500, 500), (8_500, 300)]
    )
    assert (first, second - first, 8_676 - second) == (4_110, 3_493, 1_073)


def test_e5_a_plan_is_sold_collected_and_lapses():
    assert said(sale(W, 499, PLANS, 10)) == [("1111", "2132", 475, 10), ("1111", "2194", 24, 0)]
    assert told(plan(4, used=0, made_at=A)) == [
        (W, "2132", "2171", 190, 4, A),
        (A, "1171", "4111", 190, 4, W),
    ]
    assert [pair.amount for pair in plan(3, used=4, made_at=B)] == [143, 143]
    left = 475 - policy.recognised(net=475, units=10, used=7)
    ended = policy.lapse(store_id=W, account=PLANS, amount=left, cups=3, **OF_LOT)
    assert said(ended) == [("2132", "4113", 142, 3)]


def test_e6_a_change_of_plan_moves_what_is_left_to_a_new_lot():
    assert said(sale(W, 400 * 15 // 30, PLANS, 5)) == [
        ("1111", "2132", 190, 5),
        ("1111", "2194", 10, 0),
    ]
    left = 475 - policy.recognised(net=475, units=10, used=4)
    gone = policy.give(store_id=W, account=PLANS, amount=left, cups=6, **OF_LOT)
    come = policy.take(
        store_id=W, account=PLANS, amount=left, cups=6, offer_id=new_id(), lot_id=NEXT_LOT
    )
    assert said(gone + come) == [("2132", "2134", 285, 6), ("2134", "2132", 285, 6)]
    collected = policy.recognised(net=left + 190, units=11, used=9)
    assert (left + 190, collected, left + 190 - collected) == (475, 389, 86)


def test_e7_a_dispute_is_opened_won_and_lost():
    assert said(policy.dispute_opened(store_id=A, gross=1000)) == [("1172", "1111", 1000, 0)]
    assert said(policy.dispute_won(store_id=A, gross=1000)) == [("1111", "1172", 1000, 0)]
    lost = policy.dispute_lost(
        store_id=A, account=VOUCHERS, gross=1000, net=433, vat=22, cups=5, **OF_LOT
    )
    assert said(lost) == [
        ("2131", "1172", 433, 5),
        ("2194", "1172", 22, 0),
        ("6221", "1172", 545, 0),
    ]


def test_e8_a_void_turns_both_books_around():
    assert told(policy.reversal(pack(2, used=3, made_at=B))) == [
        (A, "2171", "2131", 173, 2, B),
        (B, "4111", "1171", 173, 2, A),
    ]


def test_e9_a_plan_without_a_count_is_earned_by_the_day():
    days = [policy.earned(net=475, days=30, passed=day) for day in range(31)]
    steps = [now - before for before, now in pairwise(days)]
    assert (sum(steps), set(steps)) == (475, {15, 16})
    assert policy.earned(net=475, days=30, passed=31) == 475
    for is_membership, account in ((False, "4111"), (True, "4112")):
        day = policy.earning(store_id=W, amount=16, is_membership=is_membership, **OF_LOT)
        assert said(day) == [("2132", account, 16, 0)]


def test_e10_a_bonus_cup_that_ends_carries_its_expected_part():
    net = without_vat(500, basis_points=500).net
    # Ten cups of 60 that will be collected, and one that will be with 70 % likelihood.
    assert (net, policy.allocated(net, weights=[600, 42])) == (476, [445, 31])
    collected = hand_over(1, net=31, units=1, used=0, sold_at=A, made_at=A, account=VOUCHERS)
    assert said(collected) == [("2131", "4111", 31, 1)]
    lapsed = policy.lapse(store_id=A, account=VOUCHERS, amount=31, cups=1, **OF_LOT)
    assert said(lapsed) == [("2131", "4113", 31, 1)]
