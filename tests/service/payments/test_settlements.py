"""Fetching the provider's movements and payouts: once each, whatever happens in between."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

import worker
from kernel import clock
from kernel.db import db
from kernel.due import is_due
from kernel.transaction import transaction
from payments import charge, settlements
from payments.models import BalanceTransaction, Payout, ProviderDay, ProviderFetch
from payments.settlements import fetch_settlements
from tests.fakes import GOOD, Crash, FakeGateway
from tests.together import together
from tests.world import World

Owed = Callable[..., UUID]
PassTime = Callable[[timedelta], datetime]

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def sold(world: World, owed: Owed, provider: FakeGateway, pass_time: PassTime) -> Iterator[UUID]:
    """One payment a few seconds ago: who sold nothing has nothing to fetch."""
    payment_id = charge(payment_id=owed(), payment_method=GOOD).id
    pass_time(timedelta(seconds=5))
    return payment_id


def kept() -> Sequence[BalanceTransaction]:
    with transaction():
        oldest = select(BalanceTransaction).order_by(BalanceTransaction.created_at)
        return db.session.scalars(oldest).all()


def payouts() -> Sequence[Payout]:
    with transaction():
        return db.session.scalars(select(Payout).order_by(Payout.created_at)).all()


def stream(name: str) -> ProviderFetch:
    with transaction():
        return db.session.get_one(ProviderFetch, name)


def of_days() -> int:
    with transaction():
        return int(db.session.scalar(select(func.sum(ProviderDay.net_minor))) or 0)


def due() -> bool:
    with transaction():
        return is_due(settlements.DUTY, clock.now())


def test_a_movement_is_kept_with_its_payment_and_in_the_providers_units(
    provider: FakeGateway,
) -> None:
    fetch_settlements()

    (row,) = kept()
    (ref,) = provider.intents
    assert (row.payment_ref, row.kind, row.currency) == (ref, "charge", "TWD")
    assert (row.amount_minor, row.fee_minor, row.net_minor) == (10_000, 300, 9_700)
    assert of_days() == 9_700


def test_what_is_known_is_not_counted_again(provider: FakeGateway, pass_time: PassTime) -> None:
    for _ in range(3):
        fetch_settlements()
        pass_time(HOUR)

    assert len(kept()) == 1
    assert of_days() == 9_700
    assert provider.calls.count("list_balance_transactions") == 3


def test_it_is_due_by_the_hour_and_not_before_a_first_payment(pass_time: PassTime) -> None:
    assert due()
    fetch_settlements()
    assert not due()
    pass_time(timedelta(minutes=59))
    assert not due()
    pass_time(timedelta(minutes=2))
    assert due()


def test_a_chain_that_has_sold_nothing_asks_nothing(app: Flask, sold: UUID) -> None:
    with transaction():
        db.session.execute(db.text("DELETE FROM payment"))
        assert not is_due(settlements.DUTY, clock.now())


def test_it_is_among_the_duties_of_the_workers() -> None:
    assert settlements.DUTY in worker.DUTIES


def test_pages_are_walked_to_the_end(provider: FakeGateway, pass_time: PassTime) -> None:
    provider.page_size = 2
    for _ in range(4):
        provider.move()
    pass_time(timedelta(seconds=5))

    fetch_settlements()

    assert len(kept()) == 5
    assert provider.calls.count("list_balance_transactions") == 3
    assert stream("transactions").walk_after is None


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_between_two_pages_loses_nothing(
    provider: FakeGateway, pass_time: PassTime, when: str
) -> None:
    provider.page_size = 2
    for _ in range(4):
        provider.move()
    pass_time(timedelta(seconds=5))
    fetch_one_page_then_crash(provider, when)
    assert len(kept()) == 2
    left_at = stream("transactions")
    assert left_at.walk_after is not None
    assert left_at.fetched_until is None

    pass_time(timedelta(minutes=6))
    provider.move()  # comes in between, and belongs to the next walk
    asked = provider.calls.count("list_balance_transactions")
    fetch_settlements()

    assert len(kept()) == 5
    assert provider.calls.count("list_balance_transactions") - asked == 2  # not from the beginning
    pass_time(HOUR)
    fetch_settlements()
    assert len(kept()) == 6
    assert of_days() == sum(row.net_minor for row in kept())


def fetch_one_page_then_crash(provider: FakeGateway, when: str) -> None:
    """Die at the second page: before it was asked for, or with the answer in hand."""
    ask = provider.list_balance_transactions

    def second_time_crash(**asked: object) -> object:
        if asked["after"] is not None:
            provider.fail("list_balance_transactions", when, Crash())
        return ask(**asked)  # type: ignore[arg-type]

    provider.list_balance_transactions = second_time_crash  # type: ignore[assignment, method-assign]
    with pytest.raises(Crash):
        fetch_settlements()
    provider.list_balance_transactions = ask  # type: ignore[method-assign]


def test_a_stream_that_a_dead_worker_held_is_due_when_its_lease_is_over(
    provider: FakeGateway, pass_time: PassTime
) -> None:
    provider.fail("list_balance_transactions", "before", Crash())
    with pytest.raises(Crash):
        fetch_settlements()

    fetch_settlements()
    assert kept() == []
    pass_time(timedelta(minutes=6))
    assert due()
    fetch_settlements()
    assert len(kept()) == 1


def test_a_silent_provider_is_asked_again_later(provider: FakeGateway, pass_time: PassTime) -> None:
    provider.is_silent = True
    fetch_settlements()
    provider.is_silent = False
    pass_time(timedelta(minutes=6))

    fetch_settlements()

    assert len(kept()) == 1


def test_a_place_that_the_provider_does_not_know_any_more_is_given_up(
    provider: FakeGateway, pass_time: PassTime
) -> None:
    provider.page_size = 1
    provider.move()
    pass_time(timedelta(seconds=5))
    fetch_one_page_then_crash(provider, "before")
    lost = stream("transactions").walk_after
    provider.transactions[:] = [one for one in provider.transactions if one.ref != lost]
    pass_time(timedelta(minutes=6))
    fetch_settlements()
    pass_time(timedelta(minutes=6))

    fetch_settlements()

    assert len(kept()) == 2
    assert stream("transactions").fetched_until is not None


def test_what_the_provider_shows_late_is_found_within_the_overlap(
    provider: FakeGateway, pass_time: PassTime
) -> None:
    fetch_settlements()
    pass_time(HOUR)
    provider.move(created_at=(clock.now() - HOUR).replace(microsecond=0))

    fetch_settlements()

    assert len(kept()) == 2


def test_two_workers_at_once_keep_everything_once(
    app: Flask, provider: FakeGateway, pass_time: PassTime
) -> None:
    provider.page_size = 3
    for _ in range(20):
        provider.move()
    provider.pay_out()
    pass_time(timedelta(seconds=5))

    together(app, [fetch_settlements] * 4, in_transactions=False)

    assert len(kept()) == 22
    assert of_days() == sum(one.net_minor for one in provider.transactions)


def test_a_worker_that_was_overtaken_does_not_move_the_place_of_a_later_walk(
    provider: FakeGateway, pass_time: PassTime
) -> None:
    provider.page_size = 2
    for _ in range(6):
        provider.move()
    pass_time(timedelta(seconds=5))
    ask, overtaken, dying = provider.list_balance_transactions, list[int](), list[int]()

    def slow(**asked: object) -> object:
        page = ask(**asked)  # type: ignore[arg-type]
        if asked["after"] is not None and dying:
            raise Crash
        if asked["after"] is not None and not overtaken:
            overtaken.append(1)
            pass_time(timedelta(minutes=6))
            fetch_settlements()  # another ends this walk, and dies in the midst of the next
            for _ in range(4):
                provider.move()
            pass_time(HOUR)
            dying.append(1)
            with suppress(Crash):
                fetch_settlements()
            dying.clear()
        return page

    provider.list_balance_transactions = slow  # type: ignore[assignment, method-assign]
    fetch_settlements()
    pass_time(timedelta(minutes=6))
    fetch_settlements()

    assert overtaken
    assert len(kept()) == 11
    assert of_days() == sum(one.net_minor for one in provider.transactions)


def test_what_went_out_with_a_payout_is_kept_with_it(
    provider: FakeGateway, pass_time: PassTime
) -> None:
    provider.page_size = 2
    for _ in range(4):
        provider.move()
    made = provider.pay_out()
    later = provider.move()
    pass_time(timedelta(seconds=5))

    fetch_settlements()

    (payout,) = payouts()
    assert (payout.amount_minor, payout.status) == (made.amount_minor, "in_transit")
    assert payout.items_kept_at is not None
    in_it = {row.provider_ref for row in kept() if row.payout_ref == payout.provider_ref}
    assert in_it == {one.ref for one in provider.paid_out[made.ref]}
    assert later.ref not in in_it


def test_a_payout_is_followed_until_it_has_arrived(
    provider: FakeGateway, pass_time: PassTime
) -> None:
    made = provider.pay_out(is_itemised=False)
    pass_time(timedelta(seconds=5))
    fetch_settlements()
    assert payouts()[0].items_kept_at is None

    provider.payouts[0] = replace(made, status="paid", is_itemised=True)
    pass_time(timedelta(days=2))
    fetch_settlements()

    (payout,) = payouts()
    assert payout.status == "paid"
    assert payout.items_kept_at is not None


def test_a_crash_in_the_midst_of_a_payouts_items_loses_none(
    provider: FakeGateway, pass_time: PassTime
) -> None:
    provider.page_size = 2
    for _ in range(4):
        provider.move()
    made = provider.pay_out()
    pass_time(timedelta(seconds=5))
    ask = provider.list_paid_out

    def second_time_crash(**asked: object) -> object:
        if asked["after"] is not None:
            raise Crash
        return ask(**asked)  # type: ignore[arg-type]

    provider.list_paid_out = second_time_crash  # type: ignore[assignment, method-assign]
    with pytest.raises(Crash):
        fetch_settlements()
    provider.list_paid_out = ask  # type: ignore[method-assign]
    pass_time(timedelta(minutes=6))

    fetch_settlements()

    in_it = [row for row in kept() if row.payout_ref == made.ref]
    assert len(in_it) == 5
    assert provider.calls.count("list_paid_out") == 3


def test_one_bad_payout_does_not_stop_the_others(
    provider: FakeGateway, pass_time: PassTime
) -> None:
    bad = provider.pay_out()
    pass_time(timedelta(seconds=1))
    provider.move()
    good = provider.pay_out()
    del provider.paid_out[bad.ref]
    pass_time(timedelta(seconds=5))

    fetch_settlements()

    is_kept = {one.provider_ref: one.items_kept_at is not None for one in payouts()}
    assert is_kept == {bad.ref: False, good.ref: True}


def test_nothing_from_before_the_first_payment_is_asked_for(
    provider: FakeGateway, pass_time: PassTime
) -> None:
    provider.move(created_at=clock.now() - timedelta(days=400))

    fetch_settlements()

    assert len(kept()) == 1


def test_the_provider_is_asked_outside_of_any_transaction(provider: FakeGateway) -> None:
    with transaction():
        db.session.execute(db.text("SELECT 1"))
        with pytest.raises(RuntimeError):
            fetch_settlements()
    assert provider.calls == ["charge", "make_customer"][::-1]
