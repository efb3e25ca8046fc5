"""The locks, taken out; and moments in which whoever is without one is overtaken."""

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import any_, bindparam, event, select
from sqlalchemy.dialects.postgresql import ARRAY, UUID

import vouchers.wallet
from kernel.db import db
from redemption import statements
from tests.service.vouchers.gifts.conftest import friends
from tests.service.vouchers.refunds.conftest import bank, member, shop
from vouchers.models import Wallet

assert all((bank, friends, member, shop))  # fixtures

_HESITATES_S = 0.03


@pytest.fixture
def hesitant(app) -> Iterator[None]:
    """Whoever has read a lot waits for a moment before it is written: there races are lost."""

    def hesitate(_connection, _cursor, statement, *_):
        if statement.startswith("UPDATE lot"):
            time.sleep(_HESITATES_S)

    event.listen(db.engine, "before_cursor_execute", hesitate)
    yield
    event.remove(db.engine, "before_cursor_execute", hesitate)


@pytest.fixture
def unversioned(monkeypatch) -> None:
    """Take the version check of tills out, as a careless change would."""
    without = statements.WRITE.replace("AND version = %(version)s", "")
    assert without != statements.WRITE
    monkeypatch.setattr(statements, "WRITE", without)


@pytest.fixture
def unlocked(monkeypatch) -> None:
    """Let the lock of all other verbs lock nothing, and change no version."""
    asked = bindparam("ids", type_=ARRAY(UUID))
    reading = select(Wallet).where(Wallet.member_id == any_(asked))
    monkeypatch.setattr(vouchers.wallet, "_CHANGE", reading)
