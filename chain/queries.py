"""What others ask about stores and products."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import Select, Uuid, any_, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute

from chain import policy
from chain.errors import StoreScope
from chain.models import Device, LegalEntity, Product, Staff, StaffStore, Store
from kernel.db import db
from kernel.errors import NotFound

T = TypeVar("T")

_PRODUCTS_VERSION = text(
    "SELECT left(md5(coalesce(string_agg(product::text, ' ' ORDER BY id), '')), 16) FROM product"
)
_EVERYWHERE = ("finance", "admin")
_STORES = select(Store).where(Store.id == any_(bindparam("ids", type_=ARRAY(Uuid))))


class Called(NamedTuple):
    """What something is called: by the chain, and by people."""

    code: str
    name: str


def get_store(store_id: UUID) -> Store:
    """Raises: NotFound: there is no such store."""
    return _there(db.session.get(Store, store_id))


def find_stores(store_ids: Collection[UUID]) -> Mapping[UUID, Store]:
    """Those of the stores that are there, by their ids."""
    found = db.session.scalars(_STORES, {"ids": list(store_ids)})
    return {store.id: store for store in found}


def online_store() -> Store:
    """The store that sells in the web and the app; there is one.

    Raises:
        NotFound: the chain has not been set up yet.
    """
    return _there(db.session.scalar(select(Store).where(Store.is_online)))


def local_date(store_id: UUID, at: datetime) -> date:
    """The calendar date of a moment where a store is: the day it is booked on."""
    return policy.local_day(at, time_zone=get_store(store_id).time_zone)


def business_day(store_id: UUID, at: datetime) -> date:
    """The business day of a store that a moment falls in: it may end hours after midnight."""
    store = get_store(store_id)
    return policy.business_day(at, time_zone=store.time_zone, day_ends_at=store.day_ends_at)


def today_on(now: datetime) -> date:
    """The calendar date at the chain: its online store's; UTC's before there is one."""
    time_zone = db.session.scalar(select(Store.time_zone).where(Store.is_online))
    return policy.local_day(now, time_zone=time_zone or "UTC")


def list_stores(*, after: UUID | None, limit: int) -> Sequence[Store]:
    """Stores in the order in which they joined, from after one of them."""
    return _page(select(Store), Store.id, after=after, limit=limit)


def list_legal_entities(*, after: UUID | None, limit: int) -> Sequence[LegalEntity]:
    """Legal entities in the order in which they came, from after one of them."""
    return _page(select(LegalEntity), LegalEntity.id, after=after, limit=limit)


def get_legal_entity(legal_entity_id: UUID) -> LegalEntity:
    """Raises: NotFound: there is no such legal entity."""
    return _there(db.session.get(LegalEntity, legal_entity_id))


def names_of_stores() -> Mapping[UUID, Called]:
    """What every store is called."""
    rows = db.session.execute(select(Store.id, Store.code, Store.name))
    return {store_id: Called(code, name) for store_id, code, name in rows}


def names_of_entities() -> Mapping[UUID, Called]:
    """What every legal entity is called."""
    rows = db.session.execute(select(LegalEntity.id, LegalEntity.code, LegalEntity.name))
    return {entity_id: Called(code, name) for entity_id, code, name in rows}


def names_of_staff(staff_ids: Collection[UUID]) -> Mapping[UUID, tuple[str, str]]:
    """Number and name of some of the staff."""
    rows = db.session.execute(
        select(Staff.id, Staff.number, Staff.name).where(Staff.id.in_(staff_ids))
    )
    return {staff_id: (number, name) for staff_id, number, name in rows}


def list_products(*, after: UUID | None, limit: int) -> Sequence[Product]:
    """Products in the order in which they came, from after one of them."""
    return _page(select(Product), Product.id, after=after, limit=limit)


def find_products(product_ids: Collection[UUID]) -> Mapping[UUID, Product]:
    """Those of the products that are there, by their ids."""
    found = db.session.scalars(select(Product).where(Product.id.in_(product_ids)))
    return {product.id: product for product in found}


def products_version() -> str:
    """Some characters that are others as soon as anything about any product is another."""
    return str(db.session.scalar(_PRODUCTS_VERSION))


def list_devices(*, staff_id: UUID, role: str, after: UUID | None, limit: int) -> Sequence[Device]:
    """Devices of the stores that somebody acts on."""
    seen = select(Device)
    scope = scope_of(staff_id=staff_id, role=role)
    if scope is not None:
        seen = seen.where(Device.store_id.in_(scope))
    return _page(seen, Device.id, after=after, limit=limit)


def stores_of(staff_id: UUID) -> set[UUID]:
    """Where somebody works."""
    theirs = select(StaffStore.store_id).where(StaffStore.staff_id == staff_id)
    return set(db.session.scalars(theirs))


def scope_of(*, staff_id: UUID, role: str) -> set[UUID] | None:
    """The stores that somebody at a desk acts on: where they work; None for finance and admins.

    Those act on all.
    """
    return None if role in _EVERYWHERE else stores_of(staff_id)


def check_scope(store_id: UUID, *, staff_id: UUID, role: str) -> None:
    """Let pass who acts on a store.

    Raises:
        StoreScope: they do not.
    """
    scope = scope_of(staff_id=staff_id, role=role)
    if scope is not None and store_id not in scope:
        raise StoreScope


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
