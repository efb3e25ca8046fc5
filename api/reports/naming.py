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


def named(
    rows: Iterable[Any], view: type[Schema], *, entities: tuple[str, ...] = ("legal_entity",)
) -> Iterator[tuple[Any, ...]]:
    """Write rows as a view's columns, with names beside ids.

    A column `store_code` or `store_name` is that of the row's `store_id`; the same for offers, for
    `entities`, and for stores in other parts (`sold_at_id`). What has no id has no name.
    """
    columns = {name: field.attribute or name for name, field in view().fields.items()}
    reads = [_read(column, columns, entities) for column in columns]
    return (tuple([read(row) for read in reads]) for row in rows)


def _read(column: str, columns: Mapping[str, str], entities: tuple[str, ...]) -> Read:
    base, _, part = column.rpartition("_")
    if part not in {"code", "name"} or f"{base}_id" not in columns:
        return attrgetter(columns[column])
    names, id_of = _names(base, part, entities), attrgetter(columns[f"{base}_id"])
    return lambda row: names.get(id_of(row))


def _names(base: str, part: str, entities: tuple[str, ...]) -> Names:
    if base == "offer":
        return vouchers.list_offer_codes()
    called = chain.names_of_entities() if base in entities else chain.names_of_stores()
    return {key: getattr(names, part) for key, names in called.items()}
