"""How old what is owed is, and how long it is guaranteed, as of any day."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

import redemption
import vouchers
from chain.models import StoreOwner
from kernel.db import db
from kernel.errors import Refusal
from kernel.transaction import snapshot, transaction
from ledger.models import Line
from ledger.month import Month
from tests.world import World, small_world
from vouchers import gift_token
from vouchers.ageing import BANDS, Aged, Guaranteed, list_ages, list_guarantees
from vouchers.models import Lot
from vouchers.service.expiry import expire_some

LIABILITIES = ("2131", "2132")
TODAY = date(2026, 1, 14)


@pytest.fixture
def world(app: Flask, now: datetime) -> World:
    """A small chain on 14 January 2026."""
    return small_world(now)


def ages(on: date) -> list[Aged]:
    with snapshot():
        return list_ages(on=on)


def guarantees(on: date) -> list[Guaranteed]:
    with snapshot():
        return list_guarantees(on=on)


def lines_until(on: date) -> Iterator[tuple[Line, str, int]]:
    """Every leg of what is owed, with its account and sign, booked up to a day."""
    with transaction():
        lines = db.session.scalars(select(Line).where(Line.book_date <= on)).all()
        db.session.expunge_all()
    for line in lines:
        for account, sign in ((line.credit, 1), (line.debit, -1)):
            if account in LIABILITIES:
                yield line, account, sign


def from_the_lines(on: date) -> dict[Any, tuple[int, int]]:
    """The ages the other way round: what each lot's lines up to the day add up to."""
    with transaction():
        sold_on = {
            lot.id: (lot.sold_at + timedelta(hours=8)).date()
            for lot in db.session.scalars(select(Lot))
        }
    owed: dict[Any, list[int]] = defaultdict(lambda: [0, 0])
    for line, account, sign in lines_until(on):
        if line.lot_id is not None:
            band = sum((on - sold_on[line.lot_id]).days > last for last in BANDS)
            sums = owed[line.store_id, line.offer_id, account, band]
            sums[0] += sign * line.amount
            sums[1] += sign * line.qty
    return {key: (sums[0], sums[1]) for key, sums in owed.items() if sums != [0, 0]}


def from_the_lots(rows: list[Aged]) -> dict[Any, tuple[int, int]]:
    return {
        (row.store_id, row.offer_id, row.account, band): (row.amounts[band], row.cups[band])
        for row in rows
        for band in range(len(BANDS) + 1)
        if row.amounts[band] or row.cups[band]
    }


def trade(world: World, dice: Random) -> list[date]:
    """Some months of packs sold, cups taken, given back and lapsed; answers days to look at."""
    members = [world.add_member() for _ in range(2)]
    tills = [world.add_till(store, role="manager") for store in "AB"]
    at = world.now
    for _ in range(24):
        at += timedelta(days=dice.randint(0, 40), hours=dice.randint(0, 23))
        member, till = dice.choice(members), dice.choice(tills)
        if dice.random() < 0.4:
            noon = at.replace(hour=4)  # so that the day is the same in UTC and at the store
            ends_at = noon + timedelta(days=dice.randint(30, 300))
            world.add_lot(
                member,
                dice.choice(["eleven", "brief"]),
                store=dice.choice("AB"),
                account=dice.choice(LIABILITIES),
                sold_at=noon,
                ends_at=ends_at,
            )
            continue
        with suppress(Refusal):
            taken = world.take(till, member, dice.randint(1, 4), now=at)
            if dice.random() < 0.3:
                undo(till, taken.id, at=at + timedelta(hours=dice.randint(1, 23)))
        with transaction():
            expire_some(limit=10, now=at)
    span = (at - world.now).days
    return [(world.now + timedelta(days=dice.randint(-2, span + 2))).date() for _ in range(12)]


def undo(till: Any, redemption_id: str, *, at: datetime) -> None:
    with transaction():
        redemption.void(
            redemption_id=UUID(redemption_id),
            store_id=till.store_id,
            staff_id=till.staff_id,
            role="manager",
            now=at,
        )


@pytest.mark.parametrize("seed", range(3))
def test_any_day_is_what_its_lines_add_up_to(world: World, seed: int) -> None:
    world.add_offer("brief", expiry_mode="lapse")
    for day in trade(world, Random(seed)):  # noqa: S311  the same trade at each run
        rows = ages(day)
        assert from_the_lots(rows) == from_the_lines(day), day
        booked = sum(sign * line.amount for line, _, sign in lines_until(day))
        assert sum(row.amount for row in rows) == booked
        assert sum(row.net for row in guarantees(day)) == booked


@pytest.mark.parametrize(
    ("days", "band"),
    [(0, 0), (30, 0), (31, 1), (90, 1), (91, 2), (180, 2), (181, 3), (365, 3), (366, 4)],
)
def test_a_lot_is_as_old_as_its_sale(world: World, days: int, band: int) -> None:
    world.add_lot(world.add_member(), "eleven", sold_at=world.now - timedelta(days=days))

    (row,) = ages(TODAY)

    assert row.amounts == tuple(476 if place == band else 0 for place in range(5))
    assert row.cups == tuple(11 if place == band else 0 for place in range(5))
    assert (row.store_id, row.offer_id) == (world.stores["A"], world.offers["eleven"][0])
    assert (row.account, row.currency, row.amount, row.cups_owed) == ("2131", "TWD", 476, 11)


def test_a_night_sale_has_the_date_of_the_store(world: World) -> None:
    night = datetime(2025, 12, 14, 17, tzinfo=UTC)  # the 15th in Taipei
    world.add_lot(world.add_member(), "eleven", sold_at=night)

    (row,) = ages(TODAY)

    assert row.amounts[0] == 476  # 30 days


def test_what_was_taken_later_is_still_owed_on_an_earlier_day(world: World) -> None:
    alice = world.add_member()
    world.add_lot(alice, "eleven", sold_at=world.now - timedelta(days=2))
    world.take(world.add_till("B"), alice, 11)

    assert ages(TODAY) == []
    (before,) = ages(TODAY - timedelta(days=1))
    assert (before.amounts[0], before.cups[0]) == (476, 11)
    assert ages(TODAY - timedelta(days=3)) == []


def test_the_last_day_of_a_year_from_the_sale_is_guaranteed_and_the_next_is_not(
    world: World,
) -> None:
    alice = world.add_member()
    world.add_lot(alice, "eleven")
    world.take(world.add_till("A"), alice, 6)

    (last,) = guarantees(date(2027, 1, 13))
    (after,) = guarantees(date(2027, 1, 14))

    assert (last.is_running, after.is_running) == (True, False)
    assert last.ends_in == after.ends_in == Month(date(2027, 1, 1))
    assert (last.cups, last.net, last.vat, last.gross) == (5, 216, 11, 227)


def test_a_year_from_the_29th_of_february_ends_on_the_28th(world: World) -> None:
    world.add_lot(world.add_member(), "eleven", sold_at=datetime(2024, 2, 29, 4, tzinfo=UTC))

    (last,) = guarantees(date(2025, 2, 28))
    (after,) = guarantees(date(2025, 3, 1))

    assert (last.is_running, after.is_running) == (True, False)
    assert last.ends_in == after.ends_in == Month(date(2025, 2, 1))


def test_a_longer_guarantee_is_that_of_the_terms_it_was_sold_at(world: World) -> None:
    world.add_offer("long", guarantee_months=24)
    world.add_lot(world.add_member(), "long")

    (row,) = guarantees(date(2027, 6, 1))

    assert (row.is_running, row.ends_in) == (True, Month(date(2028, 1, 1)))


def test_a_guarantee_is_its_owners_of_that_day(world: World) -> None:
    world.add_lot(world.add_member(), "eleven")
    new_owner = StoreOwner(store_id=world.stores["A"], starts_on=date(2026, 3, 1))
    with transaction():
        other = db.session.scalars(
            select(StoreOwner.legal_entity_id).where(StoreOwner.store_id == world.stores["B"])
        ).one()
        new_owner.legal_entity_id = other
        db.session.add(new_owner)

    (before,), (after,) = guarantees(date(2026, 2, 28)), guarantees(date(2026, 3, 1))

    assert before.legal_entity_id != other
    assert after.legal_entity_id == other


def test_the_vat_of_all_parts_is_the_vat_of_the_lot(world: World) -> None:
    alice = world.add_member()
    world.add_lot(alice, "eleven")
    (whole,) = guarantees(TODAY)
    world.take(world.add_till("A"), alice, 4)
    (rest,) = guarantees(TODAY)

    assert (whole.vat, whole.gross) == (24, 500)
    assert rest.vat == round(24 * rest.net / 476)


def test_cups_on_their_way_to_a_friend_are_guaranteed_like_any_others(world: World) -> None:
    alice, bob = world.add_member(), world.add_member()
    world.add_lot(alice, "eleven")
    (before,) = guarantees(TODAY)
    with transaction():
        gift = vouchers.give(
            giver_id=alice, offer_id=world.offers["eleven"][0], cups=3, now=world.now
        )
    (given,) = guarantees(TODAY)
    with transaction():
        vouchers.claim(member_id=bob, token=gift_token.make(gift.id), now=world.now)
    (claimed,) = guarantees(TODAY)

    assert (given.cups, given.net) == (before.cups, before.net) == (claimed.cups, claimed.net)
