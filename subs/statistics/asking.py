"""What every question to the statistics has in common: which months, by what, of what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, null, select
from sqlalchemy.orm import InstrumentedAttribute

from chain.models import Store
from kernel.db import db
from subs.statistics.models import PlanCount
from vouchers.models import Offer, OfferVersion

BY = ("month", "plan", "version", "store", "channel")


@dataclass(frozen=True, slots=True)
class Asked:
    """The months from `first` to `last` (first days), by one of `BY`, of what is named."""

    first: date
    last: date
    by: str = "month"
    plan: str | None = None
    store_id: UUID | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """What a figure is of; None for all of a kind."""

    month_on: date
    plan: str | None
    version: int | None
    store_id: UUID | None
    store: str | None
    channel: str | None

    @property
    def month(self) -> str:
        return f"{self.month_on:%Y-%m}"


KEYS = 6
"""So many columns make a `Cell`; the measures follow them."""


def counted_at() -> datetime | None:
    """When the months that can still change were counted last."""
    return db.session.scalar(select(PlanCount.counted_at).where(PlanCount.reach == "open"))


def part(count: int, whole: int) -> Decimal | None:
    """A share of a whole, where there is one."""
    return Decimal(count) / whole if whole else None


def summed(
    table: Any,
    asked: Asked,
    *measures: Any,
    month: InstrumentedAttribute[date] | None = None,
    by_too: Sequence[Any] = (),
) -> Sequence[Row[Any]]:
    """Add up a table's cells: the keys, then what they are told apart by too, then the measures."""
    month = table.month_on if month is None else month
    by: dict[str, list[Any]] = {
        "month": [],
        "plan": [Offer.code],
        "version": [Offer.code, OfferVersion.version],
        "store": [table.store_id, Store.code],
        "channel": [table.channel],
    }
    keys = by[asked.by]
    shown = [
        next((key for key in keys if key is one), null())
        for one in (Offer.code, OfferVersion.version, table.store_id, Store.code, table.channel)
    ]
    told_apart = [month, *keys, *by_too]
    return db.session.execute(
        select(month, *shown, *by_too, *measures)
        .join(OfferVersion, OfferVersion.id == table.offer_version_id)
        .join(Offer, Offer.id == OfferVersion.offer_id)
        .join(Store, Store.id == table.store_id)
        .where(month.between(asked.first, asked.last), *_named(table, asked))
        .group_by(*told_apart)
        .order_by(*told_apart)
    ).all()


def _named(table: Any, asked: Asked) -> list[Any]:
    return [
        column == value
        for column, value in (
            (Offer.code, asked.plan),
            (table.store_id, asked.store_id),
            (table.channel, asked.channel),
        )
        if value is not None
    ]
