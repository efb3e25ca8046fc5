"""Cups handed over, on a real database: once, from the right lots, with their money."""

from contextlib import ExitStack
from datetime import date, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from chain.models import Device, Shift, Staff, WrongCode
from kernel import hot, secrets
from kernel.db import db
from kernel.errors import RateLimited, Unauthenticated
from kernel.idempotency import KeyReused
from kernel.transaction import transaction
from ledger.models import Entry, Line
from redemption import policy, statements
from redemption.errors import (
    InsufficientCups,
    LimitReached,
    LotFrozen,
    OwnWallet,
    ProductMismatch,
    StoreNotAccepted,
    TokenExpired,
    TokenInvalid,
    TokenUsed,
    UnknownProduct,
    WalletBlocked,
)
from redemption.models import Redemption, RedemptionLine
from redemption.service import redeem as module
from redemption.service.redeem import redeem
from tests.service.redemption.tills import undo
from tests.world import only
from vouchers.models import Lot, Wallet


def change(model, **values):
    with transaction():
        db.session.execute(update(model).values(**values))


def lines():
    found = db.session.scalars(select(Line).order_by(Line.entry_id, Line.ordinal)).all()
    db.session.rollback()
    return [(line.debit, line.credit, line.amount, line.qty) for line in found]


def test_cups_are_taken_and_the_answer_says_from_where_and_what_is_left(world):
    till, alice = world.add_till("A"), world.add_member()
    lot_id = world.add_lot(alice, "eleven")
    redeemed = world.take(till, alice, 3)
    assert redeemed.items == [
        {
            "product_id": str(world.products["latte"]),
            "product": {"code": "latte", "name": "latte", "size": "M"},
            "cups": 3,
            "left": 8,
            "is_unlimited": False,
            "taken": [
                {
                    "lot_id": str(lot_id),
                    "offer": "eleven",
                    "name": "eleven",
                    "unit": "cup",
                    "cups": 3,
                    "ends_at": None,
                }
            ],
            "top_up": {"amount": 0, "currency": "TWD"},
        }
    ]
    assert (only(Lot).used, only(Lot).net_recognised, only(Lot).vat_gone) == (3, 130, 7)


def test_three_stores_book_what_the_worked_example_e2_says(world):
    alice = world.add_member()
    world.add_lot(alice, "eleven", store="A")
    for store, cups in (("A", 3), ("B", 2), ("C", 1)):
        world.take(world.add_till(store), alice, cups)
    assert lines() == [
        ("1111", "2131", 476, 11),
        ("1111", "2194", 24, 0),
        ("2131", "4111", 130, 3),
        ("2131", "2171", 86, 2),
        ("1171", "4111", 86, 2),
        ("2131", "2171", 44, 1),
        ("1171", "4111", 44, 1),
    ]


def test_the_last_cup_closes_the_lot_with_all_its_money_recognised(world):
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "eleven")
    world.take(till, alice, 11)
    lot = only(Lot)
    assert (lot.is_open, lot.net_recognised, lot.vat_gone) == (False, 476, 24)


def test_one_redemption_may_take_from_two_lots(world):
    till, alice = world.add_till("A"), world.add_member()
    first = world.add_lot(alice, "eleven", sold_at=world.now - timedelta(days=2))
    second = world.add_lot(alice, "eleven")
    redeemed = world.take(till, alice, 12)
    assert [(taken["lot_id"], taken["cups"]) for taken in redeemed.taken] == [
        (str(first), 11),
        (str(second), 1),
    ]


def test_a_retry_with_the_same_key_hears_the_same_answer_and_changes_nothing(world):
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "eleven")
    scan = world.scan(till, world.code(world.add_credential(alice)), 2)
    first = redeem(scan=scan, now=world.now)
    again = redeem(scan=scan, now=world.now + timedelta(hours=1))
    assert again.is_replayed
    assert again.as_json() == first.as_json()
    assert only(Lot).used == 2


def test_a_refusal_is_heard_again_too(world):
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "eleven")
    scan = world.scan(till, world.code(world.add_credential(alice)), 12)
    for _ in range(2):
        with pytest.raises(InsufficientCups) as refusal:
            redeem(scan=scan, now=world.now)
    assert refusal.value.is_replayed
    assert refusal.value.facts == {"held": 11, "wanted": 12}


def test_a_refusal_under_the_wallets_lock_needs_no_second_connection(world, monkeypatch):
    monkeypatch.setattr(module, "_OPTIMISTIC_TRIES", 0)
    till, alice = world.add_till("A"), world.add_member()
    scan = world.scan(till, world.code(world.add_credential(alice)))
    with ExitStack() as others:
        for _ in range(hot.pool().max_size - 1):
            others.enter_context(hot.pool().connection())
        for is_replay in (False, True):
            with pytest.raises(InsufficientCups) as refusal:
                redeem(scan=scan, now=world.now)
            assert refusal.value.is_replayed is is_replay


def test_a_refusal_gives_way_to_what_its_key_was_answered_meanwhile(world, monkeypatch):
    till, alice = world.add_till("A"), world.add_member()
    scan = world.scan(till, world.code(world.add_credential(alice)))
    run, first = hot.rows, []

    def with_a_faster_twin(sql, params):
        if sql == statements.REFUSE and not first:
            first.append(None)
            world.add_lot(alice, "eleven")
            first[0] = redeem(scan=scan, now=world.now)
        return run(sql, params)

    monkeypatch.setattr(hot, "rows", with_a_faster_twin)
    answer = redeem(scan=scan, now=world.now)
    assert (answer.id, answer.is_replayed) == (first[0].id, True)


def test_one_key_through_another_wallet_is_found_under_the_lock_too(world, monkeypatch):
    monkeypatch.setattr(module, "_OPTIMISTIC_TRIES", 0)
    till, scans = world.add_till("A"), []
    for _ in range(2):
        member_id = world.add_member()
        world.add_lot(member_id, "eleven")
        code = world.code(world.add_credential(member_id))
        scans.append(world.scan(till, code, key="k" * 20))
    choose, first = policy.choose, []

    def after_a_faster_twin(*seen, **asked):
        if not first:
            first.append(None)
            redeem(scan=scans[0], now=world.now)
        return choose(*seen, **asked)

    monkeypatch.setattr(policy, "choose", after_a_faster_twin)
    with pytest.raises(KeyReused):
        redeem(scan=scans[1], now=world.now)
    assert only(Redemption).cups == 1


def test_a_key_with_another_request_is_refused(world):
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "eleven")
    code = world.code(world.add_credential(alice))
    redeem(scan=world.scan(till, code, 1, key="k" * 16), now=world.now)
    with pytest.raises(KeyReused):
        redeem(scan=world.scan(till, code, 2, key="k" * 16), now=world.now)
    assert only(Lot).used == 1


def test_a_code_is_good_for_one_redemption(world):
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "eleven")
    code = world.code(world.add_credential(alice))
    redeem(scan=world.scan(till, code), now=world.now)
    with pytest.raises(TokenUsed):
        redeem(scan=world.scan(till, code), now=world.now)
    assert only(Lot).used == 1


def test_an_old_code_is_expired_and_a_made_up_one_is_counted_against_the_device(world):
    till, alice = world.add_till("A"), world.add_member()
    credential = world.add_credential(alice)
    with pytest.raises(TokenExpired):
        redeem(scan=world.scan(till, world.code(credential, step=-4)), now=world.now)
    for code in ("garbage", world.code(b"unknown!")):
        with pytest.raises(TokenInvalid):
            redeem(scan=world.scan(till, code), now=world.now)
    assert db.session.scalars(select(WrongCode)).one().times == 2


def test_a_device_that_has_guessed_a_thousand_codes_must_wait_for_the_next_hour(world):
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "eleven")
    with transaction():
        db.session.add(WrongCode(device_id=till.device_id, hour_at=world.now, times=1000))
    with pytest.raises(RateLimited) as refusal:
        world.take(till, alice)
    assert refusal.value.facts == {"retry_after": 3600}
    assert world.take(till, alice, now=world.now + timedelta(hours=1))


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (Shift, "ended_at"),
        (Shift, "ends_at"),
        (Device, "revoked_at"),
        (Staff, "disabled_at"),
    ],
)
def test_who_no_longer_works_redeems_nothing(world, model, values):
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "eleven")
    change(model, **{values: world.now})
    with pytest.raises(Unauthenticated):
        world.take(till, alice)


def test_an_unknown_shift_redeems_nothing(world):
    till, alice = world.add_till("A"), world.add_member()
    with pytest.raises(Unauthenticated):
        world.take(till, alice, shift_digest=secrets.digest("shf_made_up"))


def test_staff_do_not_redeem_from_their_own_wallet(world):
    alice = world.add_member()
    world.add_lot(alice, "eleven")
    with pytest.raises(OwnWallet):
        world.take(world.add_till("A", own=alice), alice)


def test_a_blocked_wallet_hands_over_nothing(world):
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "eleven")
    change(Wallet, blocked_at=world.now)
    with pytest.raises(WalletBlocked):
        world.take(till, alice)


def test_a_frozen_lot_hands_over_nothing(world):
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "eleven", frozen_at=world.now)
    with pytest.raises(LotFrozen):
        world.take(till, alice)


def test_another_product_is_refused_and_an_unknown_one_too(world):
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "eleven")
    with pytest.raises(ProductMismatch):
        world.take(till, alice, product_id=world.products["mocha"])
    with pytest.raises(UnknownProduct):
        world.take(till, alice, product_id=uuid4())


def test_cups_of_the_selling_store_only_are_refused_elsewhere(world):
    alice = world.add_member()
    world.add_offer("here-only", accepted_at="selling")
    world.add_lot(alice, "here-only", store="A")
    with pytest.raises(StoreNotAccepted):
        world.take(world.add_till("B"), alice)
    assert world.take(world.add_till("A"), alice).cups == 1


def test_a_daily_limit_counts_by_the_business_day_that_ends_at_four(world):
    till, alice = world.add_till("A"), world.add_member()
    world.add_offer("club", cups_per_day=2)
    world.add_lot(alice, "club")
    late = world.now + timedelta(hours=15, minutes=30)  # 03:30 in Taipei, the same business day
    world.take(till, alice, 2)
    with pytest.raises(LimitReached) as refusal:
        world.take(till, alice, now=late)
    assert refusal.value.facts["next_at"] == "2026-01-15T04:00:00+08:00"
    assert world.take(till, alice, now=world.now + timedelta(hours=16)).cups == 1


@pytest.mark.parametrize(("hours", "next_at"), [(15, None), (17, "2026-01-15T04:00:00+08:00")])
def test_of_cups_that_end_before_the_limit_lifts_no_time_is_told(world, hours, next_at):
    till, alice = world.add_till("A"), world.add_member()
    world.add_offer("club", cups_per_day=2)
    world.add_lot(alice, "club", ends_at=world.now + timedelta(hours=hours))
    world.take(till, alice, 2)
    with pytest.raises(LimitReached) as refusal:
        world.take(till, alice)
    told = refusal.value.facts
    assert (told["limit"], told["allowed"], told["next_at"]) == ("cups_per_day", 0, next_at)


def test_the_books_of_a_night_are_of_its_calendar_day_and_its_business_day_is_the_one_before(world):
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "eleven")
    after_midnight = world.now + timedelta(hours=13)  # 01:00 on the 15th in Taipei
    world.take(till, alice, now=after_midnight)
    with transaction():
        booked = db.session.scalar(select(Entry.book_date).where(Entry.kind == "redemption"))
    assert (only(Redemption).business_day, booked) == (date(2026, 1, 14), date(2026, 1, 15))


def test_what_a_used_up_limit_does_not_allow_comes_from_another_offer(world):
    till, alice = world.add_till("A"), world.add_member()
    world.add_offer("club", cups_per_day=3)
    club = world.add_lot(alice, "club", ends_at=world.now + timedelta(days=30))
    pack = world.add_lot(alice, "eleven")
    world.take(till, alice, 2)
    redeemed = world.take(till, alice, 3)
    assert [(taken["lot_id"], taken["cups"]) for taken in redeemed.taken] == [
        (str(club), 1),
        (str(pack), 2),
    ]


def test_a_voided_cup_does_not_count_against_the_limit(world):
    till, alice = world.add_till("A"), world.add_member()
    world.add_offer("club", minimum_interval_s=1800)
    world.add_lot(alice, "club")
    redeemed = world.take(till, alice)
    with pytest.raises(LimitReached):
        world.take(till, alice)
    undo(till, redeemed, now=world.now)
    assert world.take(till, alice).cups == 1


def test_the_lines_of_a_redemption_add_up_to_what_left_the_lot(world):
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "eleven")
    for cups in (1, 4, 2):
        world.take(till, alice, cups)
    parts = select(RedemptionLine.cups, RedemptionLine.amount, RedemptionLine.vat)
    taken = db.session.execute(parts).all()
    db.session.rollback()
    assert sum(row.cups for row in taken) == only(Lot).used == 7
    assert sum(row.amount for row in taken) == only(Lot).net_recognised
    assert sum(row.vat for row in taken) == only(Lot).vat_gone
