"""An order is placed: what a member wants to buy, at today's terms."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TypedDict
from uuid import UUID

from sqlalchemy import select

import chain
import invoicing
import ledger
from chain.models import Store
from chain.policy import local_day
from invoicing import Buyer
from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.money import Taxed
from vouchers import policy
from vouchers.buying_limits import refuse_too_many
from vouchers.errors import MixedCurrencies, NotOnSale, OrderTooLarge
from vouchers.models import Offer, OfferVersion, Order, OrderItem
from vouchers.order_errors import ChannelNotSold, StoreNotSelling
from vouchers.queries import Ordered, current_versions, get_order


class Wanted(TypedDict):
    """One offer, so many times."""

    offer_id: UUID
    quantity: int


def place_order(
    *,
    member_id: UUID,
    items: Sequence[Wanted],
    store_id: UUID | None = None,
    channel: str = "app",
    buyer: Buyer | None = None,
    shift_id: UUID | None = None,
    now: datetime,
) -> Ordered:
    """Order packs and plans, each at the terms that are sold now, to be paid within 30 minutes.

    The cups are sold by the online store, or by the one that is named; at the counter (`shift_id`)
    by the till's. `buyer` says to whom the invoice is made out. Takes the wallet's lock where an
    offer is limited, so that many orders at once keep the limit too.

    Raises:
        NotFound: there is no such offer or store.
        NotOnSale: an offer is not sold now.
        ChannelNotSold: an offer is not sold this way.
        StoreNotSelling: the store is not under the law that an offer was made for.
        MemberLimit: it would be more of an offer than one member may buy.
        MixedCurrencies: the offers are not priced in one currency.
        OrderTooLarge: one payment cannot be as much.
        BuyerInvalid: no invoice can be made out to the buyer.
    """
    invoiced = buyer or Buyer()
    invoicing.check_buyer(invoiced)
    store = chain.get_store(store_id) if store_id else chain.online_store()
    today_on = local_day(now, time_zone=store.time_zone)
    terms = _terms([wanted["offer_id"] for wanted in items], now)
    currency = _one_currency(terms)
    _refuse_channel(terms, channel)
    _refuse_foreign_law(terms, store, today_on)
    asked = [(wanted["offer_id"], wanted["quantity"]) for wanted in items]
    refuse_too_many(member_id=member_id, terms=terms, wanted=asked, now=now)
    order = Order(
        id=new_id(),
        member_id=member_id,
        store_id=store.id,
        channel=channel,
        shift_id=shift_id,
        total=0,
        currency=currency,
        buyer_tax_id=invoiced.tax_id,
        carrier=invoiced.carrier,
        donation_code=invoiced.donation_code,
        ordered_at=now,
        ends_at=policy.ends_at(ordered_at=now),
    )
    lines = [_line(order, at, wanted, terms, today_on) for at, wanted in enumerate(items, 1)]
    order.total = sum(line.gross for line in lines)
    if order.total > policy.MOST:
        raise OrderTooLarge(most=policy.MOST)
    db.session.add(order)
    db.session.flush()
    db.session.add_all(lines)
    db.session.flush()
    return get_order(member_id=member_id, order_id=order.id)


def price_of(version: OfferVersion, *, on: date) -> Taxed:
    """The price of an offer, taken apart at the rates of a day.

    A cash-value voucher is taxed when it is redeemed, so all of its price is carried by its cups.
    """
    if version.vat_timing == "redemption":
        return Taxed(net=version.price, vat=0)
    return ledger.taxed(version.price, code=version.vat_code, on=on)


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


def _refuse_channel(terms: Mapping[UUID, OfferVersion], channel: str) -> None:
    for offer_id, version in terms.items():
        if channel not in version.sale_channels:
            raise ChannelNotSold(
                offer_id=str(offer_id), channel=channel, channels=sorted(version.sale_channels)
            )


def _refuse_foreign_law(terms: Mapping[UUID, OfferVersion], store: Store, today_on: date) -> None:
    """What is sold was checked against one law, so its seller has to be under that one."""
    owned = [owner for owner in chain.list_owners(store.id) if owner.starts_on <= today_on]
    law = owned[-1].entity.jurisdiction if owned else None
    for offer_id, version in terms.items():
        if version.jurisdiction != law:
            raise StoreNotSelling(offer_id=str(offer_id), store_id=str(store.id))


def _line(
    order: Order,
    position: int,
    wanted: Wanted,
    terms: Mapping[UUID, OfferVersion],
    today_on: date,
) -> OrderItem:
    version, quantity = terms[wanted["offer_id"]], wanted["quantity"]
    price = policy.priced(price_of(version, on=today_on), quantity=quantity)
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
