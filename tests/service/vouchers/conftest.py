"""A small chain, a provider in memory, and short ways to order and pay."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

import vouchers
from kernel import clock, outbox
from kernel.db import db
from kernel.idempotency import Key
from kernel.ids import new_id
from kernel.transaction import transaction
from ledger.models import Entry, Line
from redemption import jobs as redemption_jobs
from subs import jobs as subs_jobs
from subs.models import PlanSchedule
from tests.fakes import GOOD, FakeGateway, fake_provider
from tests.world import World, small_world
from vouchers import Ordered, Paid, jobs
from vouchers.models import Lot, Order
from vouchers.service.order import Wanted

JOBS = (jobs, subs_jobs, redemption_jobs)  # imported for their subscribers


@pytest.fixture(autouse=True)
def everything_adds_up(books_hold: None) -> None:
    """After every test here, the books hold."""


@pytest.fixture
def provider(app: Flask) -> Iterator[FakeGateway]:
    del app
    with fake_provider() as fake:
        yield fake


@pytest.fixture
def world(app: Flask) -> World:
    """Alice's chain: the pack of 11 for 500, and a plan of 10 for 499 a month."""
    del app
    world = small_world(clock.now())
    version_id = world.add_offer(
        "monthly", kind="plan", price=499, cups=10, bonus_cups=0, expiry_mode="lapse"
    )
    with transaction():
        db.session.add(
            PlanSchedule(
                offer_version_id=version_id,
                every_count=1,
                every_unit="month",
                grace_days=7,
                dunning_days=[2, 5, 7, 7],
            )
        )
    return world


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[timedelta], datetime]:
    """Let time pass, for this process."""
    monkeypatch.setenv("CLOCK_FILE", str(tmp_path / "clock"))
    return clock.advance


@pytest.fixture
def order(world: World) -> Callable[..., Ordered]:
    """Order so many of each offer."""

    def order(member_id: UUID, **wanted: int) -> Ordered:
        items = [
            Wanted(offer_id=world.offers[code][0], quantity=quantity)
            for code, quantity in wanted.items()
        ]
        with transaction():
            return vouchers.place_order(member_id=member_id, items=items, now=clock.now())

    return order


def key(name: str = "", *, member_id: UUID, of: str = "") -> Key:
    """An idempotency key; `of` tells one request from another."""
    return Key(member_id, name or new_id().hex, of.encode())


def pay(order: Order, payment_method: str | None = GOOD, **other: Any) -> Paid:
    """Pay an order, with a fresh key unless one is given."""
    return vouchers.pay(
        **{
            "member_id": order.member_id,
            "order_id": order.id,
            "payment_method": payment_method,
            "save_card": False,
            "key": key(member_id=order.member_id, of=f"{order.id}{payment_method}"),
            "now": clock.now(),
            **other,
        }
    )


def settle() -> None:
    """Let the outbox have its effect, and what that promised as well."""
    outbox.drain()


def read_order(order: Order) -> Order:
    """The order as it is in the database."""
    with transaction():
        return db.session.get_one(Order, order.id)


def lots_of(member_id: UUID) -> list[Lot]:
    """What a member holds, in the order of issue."""
    with transaction():
        return db.session.query(Lot).filter_by(member_id=member_id).order_by(Lot.id).all()


def booked(member_id: UUID, kind: str = "sale") -> list[tuple[str, str, int, int]]:
    """Debit, credit, amount and cups of a member's entries of a kind."""
    with transaction():
        rows = (
            db.session.query(Line)
            .join(Entry, (Entry.member_id == Line.member_id) & (Entry.id == Line.entry_id))
            .filter(Entry.member_id == member_id, Entry.kind == kind)
            .order_by(Entry.id, Line.ordinal)
        )
        return [(line.debit, line.credit, line.amount, line.qty) for line in rows]
