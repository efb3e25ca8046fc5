"""A provider in memory, a clock that can be moved, and a short way to be owed money."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask

from kernel import clock
from kernel.db import db
from kernel.ids import new_id
from kernel.outbox import Outbox
from kernel.transaction import transaction
from payments import Payment, Repayment, begin, begin_repayment, charge
from tests.fakes import GOOD, FakeGateway, fake_provider

PURPOSE = "test_purpose"


@pytest.fixture(autouse=True)
def everything_adds_up(books_hold: None) -> None:
    """After every test here, the books hold."""


@pytest.fixture
def provider(app: Flask) -> Iterator[FakeGateway]:
    del app
    with fake_provider() as fake:
        yield fake


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[timedelta], datetime]:
    """Let time pass, for this process."""
    monkeypatch.setenv("CLOCK_FILE", str(tmp_path / "clock"))
    return clock.advance


@pytest.fixture
def owed(app: Flask) -> Callable[..., UUID]:
    """Begin to be paid 100 dollars for something new; answers the payment's id."""
    del app

    def owed(
        *, member_id: UUID | None = None, purpose_id: UUID | None = None, **asked: object
    ) -> UUID:
        with transaction():
            payment = begin(
                member_id=member_id or new_id(),
                purpose=PURPOSE,
                purpose_id=purpose_id or new_id(),
                amount=100,
                currency="TWD",
                now=clock.now(),
                **asked,  # type: ignore[arg-type]
            )
            return payment.id

    return owed


@pytest.fixture
def paid(provider: FakeGateway, owed: Callable[..., UUID]) -> Callable[..., Payment]:
    """Be paid 100 dollars by a good card."""
    del provider

    def paid(**asked: object) -> Payment:
        return charge(payment_id=owed(**asked), payment_method=GOOD)

    return paid


@pytest.fixture
def repaid(app: Flask) -> Callable[..., Repayment]:
    """Begin to give some of a payment back, all 100 dollars unless said otherwise."""
    del app

    def repaid(payment_id: UUID, *, amount: int = 100, purpose_id: UUID | None = None) -> Repayment:
        with transaction():
            return begin_repayment(
                payment_id=payment_id,
                purpose="refund",
                purpose_id=purpose_id or new_id(),
                amount=amount,
                now=clock.now(),
            )

    return repaid


@pytest.fixture
def read_back(app: Flask) -> Callable[[UUID], Repayment]:
    """Read a repayment as it is in the database."""
    del app

    def read_back(repayment_id: UUID) -> Repayment:
        with transaction():
            return db.session.get_one(Repayment, repayment_id)

    return read_back


@pytest.fixture
def read(app: Flask) -> Callable[[UUID], Payment]:
    """Read a payment as it is in the database."""
    del app

    def read(payment_id: UUID) -> Payment:
        with transaction():
            return db.session.get_one(Payment, payment_id)

    return read


@pytest.fixture
def told(app: Flask) -> Callable[[], list[str]]:
    """The topics that were promised, in order."""
    del app

    def told() -> list[str]:
        with transaction():
            rows = db.session.query(Outbox).order_by(Outbox.id).all()
            return [row.topic.removeprefix(f"{PURPOSE}.") for row in rows]

    return told
