"""Whose a store is in a month."""

from datetime import date
from operator import itemgetter
from uuid import UUID

from ledger.reports.reading import read
from ledger.statement import filled

OWNER = """
owner AS (
    SELECT DISTINCT ON (store_id) store_id, legal_entity_id
    FROM store_owner
    WHERE starts_on <= %(owned_on)s
    ORDER BY store_id, starts_on DESC
)"""
"""A CTE: the owner of each store in the month of `owned_on`."""

_STORES = """
WITH {owner}
SELECT store_id FROM owner WHERE legal_entity_id = %(legal_entity_id)s ORDER BY store_id
"""
_STORES = filled(_STORES, owner=OWNER)


def stores_of(legal_entity_id: UUID, *, month_on: date) -> list[UUID]:
    """The stores that a legal entity owns in a month (a store changes hands on a first of one)."""
    asked = {"owned_on": month_on, "legal_entity_id": legal_entity_id}
    return read(_STORES, asked, itemgetter(0))
