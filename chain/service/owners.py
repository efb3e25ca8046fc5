"""To whom stores belong: legal entities, and the months from which they own a store."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Uuid, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from chain.models import LegalEntity, StoreOwner
from chain.queries import get_legal_entity, get_store
from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id


@dataclass(frozen=True, slots=True)
class Owned:
    """A store's owner from the first day of a month on, until the next one begins."""

    store_id: UUID
    starts_on: date
    entity: LegalEntity


_OWNED = (
    select(StoreOwner.store_id, StoreOwner.starts_on, LegalEntity)
    .join(LegalEntity, LegalEntity.id == StoreOwner.legal_entity_id)
    .where(StoreOwner.store_id == any_(bindparam("store_ids", type_=ARRAY(Uuid))))
    .order_by(StoreOwner.starts_on)
)


def add_legal_entity(*, code: str, name: str, jurisdiction: str = "TW") -> LegalEntity:
    """Name a company or franchisee that may own stores, and whose law binds what it sells.

    Raises:
        LegalEntityExists: there is one of that code, as the database says.
    """
    made = LegalEntity(id=new_id(), code=code, name=name, jurisdiction=jurisdiction)
    db.session.add(made)
    db.session.flush()
    return made


def set_owner(*, store_id: UUID, legal_entity_id: UUID, starts_on: date) -> Owned:
    """Let a store belong to somebody from the first day of a month on, until a later change.

    What was said for the same month before is replaced. Whether the month may still change is
    for the books to say (`ledger.change_owner`).

    Raises:
        NotFound: there is no such store or legal entity.
    """
    store = get_store(store_id)
    entity = get_legal_entity(legal_entity_id)
    said = {"legal_entity_id": entity.id}
    row = insert(StoreOwner).values(store_id=store.id, starts_on=starts_on, **said)
    db.session.execute(
        row.on_conflict_do_update(index_elements=["store_id", "starts_on"], set_=said)
    )
    return Owned(store.id, starts_on, entity)


def owner_on(store_id: UUID, on: date) -> LegalEntity:
    """Whose store it is, was or will be on a day.

    Raises:
        NotFound: there is no such store, or nobody owns it on that day.
    """
    return owners_on([(store_id, on)])[store_id, on]


def owners_on(asked: Collection[tuple[UUID, date]]) -> dict[tuple[UUID, date], LegalEntity]:
    """Whose each store is, was or will be on a day: one statement for any number of them.

    Raises:
        NotFound: as in `owner_on`, for any of them.
    """
    rows = _owned({store_id for store_id, _ in asked})
    found = {
        (store_id, on): one.entity  # of those that begin by that day, the last one stays
        for store_id, on in asked
        for one in rows
        if one.store_id == store_id and one.starts_on <= on
    }
    if not found.keys() >= set(asked):
        raise NotFound
    return found


def list_owners(store_id: UUID) -> list[Owned]:
    """All owners that a store had, has and will have, the first one first.

    Raises:
        NotFound: there is no such store.
    """
    store = get_store(store_id)
    return _owned({store.id})


def _owned(store_ids: Collection[UUID]) -> list[Owned]:
    rows = db.session.execute(_OWNED, {"store_ids": list(store_ids)})
    return [Owned(store_id, starts_on, entity) for store_id, starts_on, entity in rows]
