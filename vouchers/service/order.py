"""An order is placed: what a member wants to buy, at today's terms."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TypedDict
from uuid import UUID

from sqlalchemy import select

import chain
import ledger
from chain.policy import local_day
from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from vouchers import policy
from vouchers.errors import MixedCurrencies, NotOnSale, OrderTooLarge
from vouchers.models import Offer, OfferVersion, Order, OrderItem
from vouchers.queries import Ordered, current_versions, get_order


class Wanted(TypedDict):
    """One offer, so many times."""

    offer_id: UUID
    quantity: int


def place_order(
    *, member_id: UUID, items: Sequence[Wanted], store_id: UUID | None = None, now: datetime
) -> Ordered:
    """Order packs and plans, each at the terms that are sold now, to be paid within 30 minutes.

    The cups are sold by the online store, or by the one that is named.

    Raises:
        NotFound: there is no such offer or store.
        NotOnSale: an offer is not sold now.
        MixedCurrencies: the offers are not priced in one currency.
        OrderTooLarge: one payment cannot be as much.
    """
    store = chain.get_store(store_id) if store_id else chain.online_store()
    terms = _terms([wanted["offer_id"] for wanted in items], now)
    order = Order(
        id=new_id(),
        member_id=member_id,
        store_id=store.id,
        total=0,
        currency=_one_currency(terms),
        ordered_at=now,
        ends_at=policy.ends_at(ordered_at=now),
    )
    today_on = local_day(now, time_zone=store.time_zone)
    lines = [_line(order, at, wanted, terms, today_on) for at, wanted in enumerate(items, 1)]
    order.total = sum(line.gross for line in lines)
    if order.total > policy.MOST:
        raise OrderTooLarge(most=policy.MOST)
    db.session.add(order)
    db.session.flush()
    db.session.add_all(lines)
    db.session.flush()
    return get_order(member_id=member_id, order_id=order.id)


def _terms(offer_ids: Sequence[UUID], now: datetime) -> Mapping[UUID, OfferVersion]:
    known = set(db.session.scalars(select(Offer.id).where(Offer.id.in_(offer_ids))))
    if not known.issuperset(offer_ids):
        raise NotFound
    terms = current_versions(offer_ids, now=now)
    closed = next((offer_id for offer_id in offer_ids if offer_id not in terms), None)
    if closed is not None:
        raise NotOnSale(offer_id=str(closed))
    return terms


def _one_currency(terms: Mapping[UUID, OfferVersion]) -> str:
    currencies = {version.currency for version in terms.values()}
    if len(currencies) > 1:
        raise MixedCurrencies
    return currencies.pop()


def _line(
    order: Order,
    position: int,
    wanted: Wanted,
    terms: Mapping[UUID, OfferVersion],
    today_on: date,
) -> OrderItem:
    version, quantity = terms[wanted["offer_id"]], wanted["quantity"]
    one = ledger.taxed(version.price, code=version.vat_code, on=today_on)
    price = policy.priced(one, quantity=quantity)
    return OrderItem(
        id=new_id(),
        order_id=order.id,
        position=position,
        offer_version_id=version.id,
        quantity=quantity,
        gross=price.gross,
        net=price.net,
        vat=price.vat,
    )
