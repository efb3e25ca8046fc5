"""What others ask about stores and products."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute

from chain import policy
from chain.models import Device, Product, StaffStore, Store
from kernel.db import db
from kernel.errors import NotFound

T = TypeVar("T")


def get_store(store_id: UUID) -> Store:
    """Raises: NotFound: there is no such store."""
    return _there(db.session.get(Store, store_id))


def online_store() -> Store:
    """The store that sells in the web and the app; there is one.

    Raises:
        NotFound: the chain has not been set up yet.
    """
    return _there(db.session.scalar(select(Store).where(Store.is_online)))


def local_date(store_id: UUID, at: datetime) -> date:
    """The calendar date of a moment where a store is: the day it is booked on."""
    return policy.local_day(at, time_zone=get_store(store_id).time_zone)


def today_on(now: datetime) -> date:
    """The calendar date at the chain: its online store's; UTC's before there is one."""
    time_zone = db.session.scalar(select(Store.time_zone).where(Store.is_online))
    return policy.local_day(now, time_zone=time_zone or "UTC")


def list_stores(*, after: UUID | None, limit: int) -> Sequence[Store]:
    """Stores in the order in which they joined, from after one of them."""
    return _page(select(Store), Store.id, after=after, limit=limit)


def list_products(*, after: UUID | None, limit: int) -> Sequence[Product]:
    """Products in the order in which they came, from after one of them."""
    return _page(select(Product), Product.id, after=after, limit=limit)


def list_devices(*, staff_id: UUID, role: str, after: UUID | None, limit: int) -> Sequence[Device]:
    """Devices of the stores that somebody may act on: an admin all, others where they work."""
    seen = select(Device)
    if role != "admin":
        seen = seen.where(Device.store_id.in_(stores_of(staff_id)))
    return _page(seen, Device.id, after=after, limit=limit)


def stores_of(staff_id: UUID) -> set[UUID]:
    """Where somebody works."""
    theirs = select(StaffStore.store_id).where(StaffStore.staff_id == staff_id)
    return set(db.session.scalars(theirs))


def _page(
    rows: Select[T], key: InstrumentedAttribute[UUID], *, after: UUID | None, limit: int
) -> Sequence[T]:
    if after is not None:
        rows = rows.where(key > after)
    return db.session.scalars(rows.order_by(key).limit(limit)).all()


def _there(found: T | None) -> T:
    if found is None:
        raise NotFound
    return found
