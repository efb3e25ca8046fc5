"""A world that was built once by hand, printed again and again with ids of its own.

Building takes thirty milliseconds, a print three; thousands of tests begin with one.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from sqlalchemy import text

from chain.models import LegalEntity, Product, Store, StoreOwner
from kernel.db import db, table_of
from kernel.ids import new_id
from kernel.transaction import transaction
from ledger.models import Account, AccountLabel, VatRate
from vouchers.models import Offer, OfferVersion, OfferVersionProduct

# The chart is installed where it is not yet; a chain and its offers are new, or something is wrong.
_CHART = [table_of(model) for model in (Account, AccountLabel, VatRate)]
_CHAIN = [
    table_of(model)
    for model in (LegalEntity, Store, StoreOwner, Product, Offer, OfferVersion, OfferVersionProduct)
]
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?\+00:00")
_REPLACED = re.compile(f"{_UUID.pattern}|{_MOMENT.pattern}")
_TAKE = text(
    "SELECT {}".format(
        ", ".join(
            f"(SELECT coalesce(json_agg(one), '[]')::text FROM \"{table.name}\" one)"
            for table in _CHART + _CHAIN
        )
    )
)
# Each table's rows come by themselves: out of one value they would be read once for every table.
_PRINT = text(
    "WITH {} SELECT".format(
        ", ".join(
            f'_{table.name} AS (INSERT INTO "{table.name}" SELECT * FROM'
            f' json_populate_recordset(NULL::"{table.name}", CAST(:{table.name} AS json))'
            f" {'ON CONFLICT DO NOTHING' if table in _CHART else ''})"
            for table in _CHART + _CHAIN
        )
    )
)


@dataclass(frozen=True)
class Photograph:
    """All rows of a chart, a chain and its offers, as JSON by table."""

    rows: dict[str, str]

    def printed(self, later: timedelta) -> dict[str, str]:
        """Write the rows with fresh ids, and all moments so much later.

        Answers what was replaced by what. Ids keep their order, which is that of time.
        """
        ids, moments = self._replaceable
        told = {old: str(new_id()) for old in ids}
        for old, moment in moments.items():
            told[old] = (moment + later).isoformat()
        rows = {
            table: _REPLACED.sub(lambda found: told[found[0]], rows)
            for table, rows in self.rows.items()
        }
        with transaction():
            db.session.execute(_PRINT, rows)
        return told

    @cached_property
    def _replaceable(self) -> tuple[list[str], dict[str, datetime]]:
        """The ids in order, and the moments."""
        rows = "".join(self.rows.values())
        moments = {old: datetime.fromisoformat(old) for old in set(_MOMENT.findall(rows))}
        return sorted(set(_UUID.findall(rows))), moments


def is_blank() -> bool:
    """Whether none of what a photograph shows is there yet, so that it shows nothing else."""
    return set(take().rows.values()) == {"[]"}


def take() -> Photograph:
    """Photograph what is there."""
    with transaction():
        taken = db.session.execute(_TAKE).one()
    names = [table.name for table in _CHART + _CHAIN]
    return Photograph(dict(zip(names, taken, strict=True)))
