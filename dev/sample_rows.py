"""The rows of the sample chain, each found by its code: what is there stays as it is."""

import json
from collections.abc import Mapping
from datetime import datetime, time
from pathlib import Path
from typing import Any

from sqlalchemy import select

from chain.models import LegalEntity, Product, Store, StoreOwner
from kernel.db import Base, db
from kernel.ids import new_id
from ledger.chart import SINCE_EVER
from subs.models import PlanSchedule
from vouchers.models import Offer, OfferVersion, OfferVersionProduct

_DAY_ENDS_AT = time(4)
_TIME_ZONE = "Asia/Taipei"


def read_chain() -> dict[str, Any]:
    """The sample chain's facts, from the file beside this one."""
    path = Path(__file__).with_name("sample_chain.json")
    chain: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return chain


def load_stores(chain: Mapping[str, Any]) -> None:
    """Add legal entities, and their stores. A business day ends at four in the morning."""
    for entity in _missing(LegalEntity, chain["legal_entities"]):
        db.session.add(LegalEntity(id=new_id(), **entity))
    db.session.flush()
    entities = by_code(LegalEntity)
    for store in _missing(Store, chain["stores"]):
        made = Store(
            id=new_id(),
            code=store["code"],
            name=store["name"],
            time_zone=_TIME_ZONE,
            day_ends_at=_DAY_ENDS_AT,
            is_online=store.get("is_online", False),
        )
        owner = entities[store["legal_entity"]]
        db.session.add(made)
        db.session.flush()
        db.session.add(StoreOwner(store_id=made.id, starts_on=SINCE_EVER, legal_entity_id=owner.id))
    db.session.flush()


def load_products(chain: Mapping[str, Any]) -> None:
    """Add products."""
    for product in _missing(Product, chain["products"]):
        db.session.add(Product(id=new_id(), currency=chain["currency"], **product))
    db.session.flush()


def load_offers(chain: Mapping[str, Any], *, now: datetime) -> None:
    """Add packs and plans, on sale from now on."""
    products = by_code(Product)
    for terms in _missing(Offer, chain["offers"]):
        version = _version(terms, chain=chain, now=now)
        for code in terms["products"]:
            sold = OfferVersionProduct(offer_version_id=version.id, product_id=products[code].id)
            db.session.add(sold)
        if "schedule" in terms:
            db.session.add(PlanSchedule(offer_version_id=version.id, **terms["schedule"]))
    db.session.flush()


def by_code(table: Any) -> dict[str, Any]:
    """All rows of a table, by their code."""
    return {row.code: row for row in db.session.scalars(select(table))}


def _version(terms: Mapping[str, Any], *, chain: Mapping[str, Any], now: datetime) -> OfferVersion:
    offer = Offer(id=new_id(), code=terms["code"], kind=terms["kind"])
    same = ("name", "price", "cups", "bonus_cups", "expiry_mode", "accepted_at")
    version = OfferVersion(
        id=new_id(),
        offer_id=offer.id,
        version=1,
        currency=chain["currency"],
        sale_starts_at=now,
        **{name: terms[name] for name in same},
    )
    db.session.add(offer)
    db.session.flush()
    db.session.add(version)
    db.session.flush()
    return version


def _missing(table: type[Base], wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    known = by_code(table)
    return [row for row in wanted if row["code"] not in known]
