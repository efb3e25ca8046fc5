"""The rows of the sample chain, each found by its code: what is there stays as it is."""

import json
from collections.abc import Mapping
from datetime import datetime, time
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from sqlalchemy import select

import invoicing
from chain.models import LegalEntity, Product, Staff, Store, StoreOwner
from invoicing import InvoiceRange
from invoicing.policy import filing_period
from kernel.db import Base, db
from kernel.ids import new_id
from ledger.chart import SINCE_EVER
from subs.service.terms import Schedule, propose_plan
from vouchers.models import Offer
from vouchers.offer_terms import OfferTerms
from vouchers.service import offer

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
            region=store.get("region"),
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
        db.session.add(Product(id=new_id(), **{"currency": chain["currency"], **product}))
    db.session.flush()


def load_offers(chain: Mapping[str, Any], *, now: datetime) -> None:
    """Add packs and plans, on sale from now on: one admin proposes them, another approves.

    They go through the verbs, so that none is against the law, or by one person alone.
    """
    products = by_code(Product)
    proposer_id, approver_id = _two_admins(chain)
    for facts in _missing(Offer, chain["offers"]):
        terms = _terms(facts, chain=chain, products=products, now=now)
        proposed: Any = {"code": facts["code"], "terms": terms, "by_id": proposer_id, "now": now}
        if facts["kind"] == "plan":
            version = propose_plan(schedule=Schedule(**facts["schedule"]), **proposed)
        else:
            version = offer.propose_offer(kind="pack", **proposed)
        offer.approve(
            offer_id=version.offer_id, kind=facts["kind"], number=1, by_id=approver_id, now=now
        )


def load_invoice_ranges(chain: Mapping[str, Any], *, now: datetime) -> None:
    """Give every legal entity numbers for its e-invoices, of these two months and those to come."""
    told = chain["invoice_ranges"]
    given = {
        (row.legal_entity_id, row.first_on) for row in db.session.scalars(select(InvoiceRange))
    }
    entities = by_code(LegalEntity)
    adder_id, _ = _two_admins(chain)
    this = filing_period(now.astimezone(ZoneInfo(_TIME_ZONE)).date())
    for at, facts in enumerate(chain["legal_entities"]):
        entity_id = entities[facts["code"]].id
        for period in range(told["periods"]):
            first_on = this + relativedelta(months=2 * period)
            if (entity_id, first_on) in given:
                continue
            # No number comes twice in all the years, so each has a file of its own.
            place = (first_on.year % 10 * 6 + first_on.month // 2) * len(entities) + at
            first_number = place * told["numbers"]
            invoicing.add_range(
                legal_entity_id=entity_id,
                seller_tax_id=told["seller_tax_id"],
                seller_address=told["seller_address"],
                first_on=first_on,
                prefix=told["prefix"],
                first_number=first_number,
                last_number=first_number + told["numbers"] - 1,
                by_id=adder_id,
                now=now,
            )


def by_code(table: Any) -> dict[str, Any]:
    """All rows of a table, by their code."""
    return {row.code: row for row in db.session.scalars(select(table))}


def _terms(
    facts: Mapping[str, Any],
    *,
    chain: Mapping[str, Any],
    products: Mapping[str, Any],
    now: datetime,
) -> OfferTerms:
    """The terms of an offer; what the facts do not say is as usual."""
    other = {"code", "kind", "products", "schedule", "trust", "currency"}
    return OfferTerms(
        currency=facts.get("currency", chain["currency"]),
        sale_starts_at=now,
        product_ids=[products[code].id for code in facts["products"]],
        **{name: fact for name, fact in facts.items() if name not in other},
    )


def _two_admins(chain: Mapping[str, Any]) -> tuple[UUID, UUID]:
    """Two people of the chain who may make offers and decide on them."""
    numbers = [person["number"] for person in chain["staff"] if person["role"] == "admin"]
    ids = dict(db.session.execute(select(Staff.number, Staff.id)).all())
    first, second = (ids[number] for number in numbers[:2])
    return first, second


def _missing(table: type[Base], wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    known = by_code(table)
    return [row for row in wanted if row["code"] not in known]
