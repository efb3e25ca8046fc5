"""A month for the accountants' own system: a leg a row, in their codes."""

import csv
from collections.abc import Iterator, Mapping
from datetime import date
from io import StringIO
from uuid import UUID

from sqlalchemy import select

from chain.models import LegalEntity, StoreOwner
from kernel.db import db
from kernel.ids import NOBODY
from kernel.safe_text import as_csv_text
from ledger.chart import Labelled, list_accounts
from ledger.export.naming import Names
from ledger.export.reading import Leg, Pair, Posted, Reading

COLUMNS = (
    "number",
    "entry_id",
    "book_date",
    "occurred_on",
    "kind",
    "line",
    "legal_entity",
    "store",
    "account",
    "account_name",
    "jibei_account",
    "debit",
    "credit",
    "currency",
    "cups",
    "counterpart_store",
    "offer",
    "reverses_id",
)
# Without this mark Excel reads the file in the code page of its system, which in Taiwan is Big5.
_MARK = "\ufeff"

Cells = list[str | int | None]


class Accountants:
    """Writes the rows. Accounts are called what they are called on the day of the entry."""

    def __init__(self, reading: Reading, names: Names) -> None:
        self._names = names
        self._entities = _entities(reading.month.first_on)
        self._accounts: Mapping[str, Labelled] = {}
        self._lines = StringIO()
        self._writer = csv.writer(self._lines)

    def head(self) -> str:
        """The names of the columns."""
        self._writer.writerow(COLUMNS)
        return _MARK + self._poured()

    def turn_to(self, day: date) -> None:
        """Call accounts what they are called on this day."""
        self._accounts = {each.code: each for each in list_accounts(on=day)}

    def entry(self, posted: Posted) -> str:
        """Both legs of every line, the debit first."""
        self._writer.writerows(self._rows(posted))
        return self._poured()

    def _rows(self, posted: Posted) -> Iterator[Cells]:
        for pair in posted.pairs:
            yield self._row(posted, pair, pair.debit, debit=pair.debit.amount, credit=None)
            yield self._row(posted, pair, pair.credit, debit=None, credit=pair.debit.amount)

    def _row(
        self, posted: Posted, pair: Pair, leg: Leg, *, debit: int | None, credit: int | None
    ) -> Cells:
        store_id, other_id = leg.cell.store_id, pair.counterpart_store_id
        account = self._accounts.get(leg.cell.account)
        return [
            posted.number,
            str(posted.id),
            posted.book_date.isoformat(),
            posted.occurred_on.isoformat(),
            posted.kind,
            pair.ordinal,
            as_csv_text(self._entities.get(store_id, "")),
            as_csv_text(self._names.store(store_id)),
            as_csv_text(account.external_code if account else leg.cell.account),
            as_csv_text(account.name if account else ""),
            leg.cell.account,
            debit,
            credit,
            posted.currency,
            pair.debit.cups,
            as_csv_text(self._names.store(other_id)) if other_id != NOBODY else None,
            as_csv_text(self._names.offer(pair.offer_id)) if pair.offer_id != NOBODY else None,
            str(posted.reverses_id) if posted.reverses_id else None,
        ]

    def _poured(self) -> str:
        text = self._lines.getvalue()
        self._lines.seek(0)
        self._lines.truncate()
        return text


def _entities(on: date) -> Mapping[UUID, str]:
    """The codes of the legal entities that own the stores on a day, by store."""
    owned = (
        select(StoreOwner.store_id, LegalEntity.code)
        .join(LegalEntity, LegalEntity.id == StoreOwner.legal_entity_id)
        .where(StoreOwner.starts_on <= on)
        .order_by(StoreOwner.store_id, StoreOwner.starts_on)
    )
    return dict(db.session.execute(owned).all())
