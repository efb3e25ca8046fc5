"""Figures are kept by id; people read what stores, offers and owners are called."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Any
from uuid import UUID

from marshmallow import Schema

import chain
import vouchers

Names = Mapping[UUID, str]
Read = Callable[[Any], Any]


def named(rows: Iterable[Any], view: type[Schema]) -> Iterator[tuple[Any, ...]]:
    """Write rows as a view's columns, with names beside ids.

    A column `store_code` or `store_name` is that of the row's `store_id`; the same for offers,
    legal entities, and stores in other parts (`sold_at_id`). What has no id has no name.
    """
    columns = list(view().fields)
    reads = [_read(column, columns) for column in columns]
    return (tuple([read(row) for read in reads]) for row in rows)


def _read(column: str, columns: list[str]) -> Read:
    base, _, part = column.rpartition("_")
    if part not in {"code", "name"} or f"{base}_id" not in columns:
        return attrgetter(column)
    names, id_of = _names(base, part), attrgetter(f"{base}_id")
    return lambda row: names.get(id_of(row))


def _names(base: str, part: str) -> Names:
    if base == "offer":
        return vouchers.list_offer_codes()
    entities_or_stores = (
        chain.names_of_entities() if base == "legal_entity" else chain.names_of_stores()
    )
    return {key: getattr(called, part) for key, called in entities_or_stores.items()}
