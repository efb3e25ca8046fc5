"""The parts of an export in their order."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Protocol
from uuid import UUID

from sqlalchemy import select

from chain.models import Store
from kernel.db import db
from ledger.chart import list_accounts
from ledger.export.about import About
from ledger.export.accountants import Accountants
from ledger.export.beancount import Beancount
from ledger.export.hledger import Hledger
from ledger.export.naming import Names
from ledger.export.pieces import Progress
from ledger.export.reading import Posted, Reading, Standing


class _Tool(Protocol):
    def head(self) -> str: ...
    def account(self, standing: Standing) -> str: ...
    def opening(self, store: str, standings: Iterable[Standing]) -> str: ...
    def entry(self, posted: Posted) -> str: ...
    def closing(self, store: str, standings: Iterable[Standing]) -> str: ...


def beancount(reading: Reading, offers: Mapping[UUID, str], progress: Progress) -> Iterator[str]:
    """The month as beancount reads it."""
    names = _names(reading, offers)
    return _proof(reading, names, Beancount(_about(reading), names), progress)


def hledger(reading: Reading, offers: Mapping[UUID, str], progress: Progress) -> Iterator[str]:
    """The month as hledger reads it."""
    names = _names(reading, offers)
    return _proof(reading, names, Hledger(_about(reading), names), progress)


def accountants(reading: Reading, offers: Mapping[UUID, str], progress: Progress) -> Iterator[str]:
    """The month's legs as rows of CSV."""
    rows = Accountants(reading, _names(reading, offers))
    yield rows.head()
    days = reading.days()
    for done, day in enumerate(days, 1):
        rows.turn_to(day)
        for posted in reading.entries_on(day):
            yield rows.entry(posted)
        progress(done, len(days))


def _proof(reading: Reading, names: Names, tool: _Tool, progress: Progress) -> Iterator[str]:
    """Accounts, what stores held before, every entry, and what they must hold now.

    Only accounts that the month closes with are opened: a tool refuses an entry on one whose
    balance nobody would prove.
    """
    yield tool.head()
    for standing in reading.closing():
        yield tool.account(standing)
    for store_id, standings in _by_store(reading.opening()):
        yield tool.opening(names.store(store_id), standings)
    days = reading.days()
    for done, day in enumerate(days, 1):
        for posted in reading.entries_on(day):
            yield tool.entry(posted)
        progress(done, len(days))
    for store_id, standings in _by_store(reading.closing()):
        yield tool.closing(names.store(store_id), standings)


def _by_store(standings: Iterable[Standing]) -> Iterator[tuple[UUID, Iterator[Standing]]]:
    return groupby(standings, key=lambda standing: standing.cell.store_id)


def _about(reading: Reading) -> About:
    return About(reading.month, reading.version, reading.digest, reading.currencies())


def _names(reading: Reading, offers: Mapping[UUID, str]) -> Names:
    stores = db.session.execute(select(Store.id, Store.code))
    accounts = {each.code: each for each in list_accounts(on=reading.month.last_on)}
    return Names(dict(stores.all()), offers, accounts)
