"""An order is placed: what a member wants to buy, at today's terms."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple, NotRequired, TypedDict
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
from vouchers import introduction, policy
from vouchers.buying_limits import refuse_too_many
from vouchers.errors import MixedCurrencies, NotOnSale, OrderTooLarge
from vouchers.models import Offer, OfferVersion, Order, OrderItem
from vouchers.order_errors import ChannelNotSold, NotForGiving, StoreNotSelling
from vouchers.queries import Ordered, current_versions, get_order


class Wanted(TypedDict):
    """One offer, so many times; with `gift_periods`, so many periods of a plan to give away."""

    offer_id: UUID
    quantity: int
    gift_periods: NotRequired[int | None]


class _Line(NamedTuple):
    """So many of one offer at one price each; an order has one line for it."""

    version: OfferVersion
    each: int
    quantity: int
    gift_periods: int | None = None


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

    Who has not had a plan before gets one of it with its trial or at its introductory price.
    The cups are sold by the online store, or by the one that is named; at the counter (`shift_id`)
    by the till's. `buyer` says to whom the invoice is made out. Takes the wallet's lock where an
    offer is limited, so that many orders at once keep the limit too.

    Raises:
        NotFound: there is no such offer or store.
        NotOnSale: an offer is not sold now.
        ChannelNotSold: an offer is not sold this way.
        StoreNotSelling: the store is not under the law that an offer was made for.
        NotForGiving: periods of what is no plan, costs nothing, or may not be given by its terms,
            are to be given away.
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
    refuse_channel(terms, channel)
    refuse_foreign_law(terms, store, today_on)
    _refuse_giving(terms, items)
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
    asked_for = _lines(items, terms, member_id)
    lines = [_item(order, at, line, today_on) for at, line in enumerate(asked_for, 1)]
    order.total = sum(line.gross for line in lines)
    if order.total > policy.MOST:
        raise OrderTooLarge(most=policy.MOST)
    db.session.add(order)
    db.session.flush()
    db.session.add_all(lines)
    db.session.flush()
    return get_order(member_id=member_id, order_id=order.id)


def price_of(version: OfferVersion, *, on: date) -> Taxed:
    """The price of an offer, taken apart at the rates of a day."""
    return taxed(version, version.price, on=on)


def taxed(version: OfferVersion, amount: int, *, on: date) -> Taxed:
    """Take apart what an offer costs at one time, such as a plan's first period.

    A cash-value voucher is taxed when it is redeemed, so all of its price is carried by its cups.
    """
    if version.vat_timing == "redemption":
        return Taxed(net=amount, vat=0)
    return ledger.taxed(amount, code=version.vat_code, on=on)


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


def refuse_channel(terms: Mapping[UUID, OfferVersion], channel: str) -> None:
    """Raises: ChannelNotSold: an offer is not sold this way."""
    for offer_id, version in terms.items():
        if channel not in version.sale_channels:
            raise ChannelNotSold(
                offer_id=str(offer_id), channel=channel, channels=sorted(version.sale_channels)
            )


def refuse_foreign_law(terms: Mapping[UUID, OfferVersion], store: Store, today_on: date) -> None:
    """What is sold was checked against one law, so its seller has to be under that one.

    Raises:
        StoreNotSelling: it is not.
    """
    owned = [owner for owner in chain.list_owners(store.id) if owner.starts_on <= today_on]
    law = owned[-1].entity.jurisdiction if owned else None
    for offer_id, version in terms.items():
        if version.jurisdiction != law:
            raise StoreNotSelling(offer_id=str(offer_id), store_id=str(store.id))


def _refuse_giving(terms: Mapping[UUID, OfferVersion], items: Sequence[Wanted]) -> None:
    given = {wanted["offer_id"] for wanted in items if wanted.get("gift_periods") is not None}
    plans = set(
        db.session.scalars(select(Offer.id).where(Offer.id.in_(given), Offer.kind == "plan"))
    )
    for offer_id in given:
        if offer_id not in plans:
            raise NotForGiving(offer_id=str(offer_id), why="no_plan")
        if terms[offer_id].price == 0:
            raise NotForGiving(offer_id=str(offer_id), why="free")
        if not terms[offer_id].is_giftable:
            raise NotForGiving(offer_id=str(offer_id), why="terms")


def _lines(
    items: Sequence[Wanted], terms: Mapping[UUID, OfferVersion], member_id: UUID
) -> list[_Line]:
    """What is ordered at which price. Of several of one plan, only one is introduced."""
    new = _new_plans(items, terms, member_id)
    lines = []
    for wanted in items:
        version, quantity = terms[wanted["offer_id"]], wanted["quantity"]
        periods = wanted.get("gift_periods")
        if periods is not None:
            lines.append(_Line(version, version.price, quantity, periods))
            continue
        if version.first_price is not None and version.offer_id in new:
            new.remove(version.offer_id)
            lines.append(_Line(version, version.first_price, 1))
            quantity -= 1
        if quantity:
            lines.append(_Line(version, version.price, quantity))
    return lines


def _new_plans(
    items: Sequence[Wanted], terms: Mapping[UUID, OfferVersion], member_id: UUID
) -> set[UUID]:
    """The plans among these whose introduction the member has not had."""
    asked = {
        offer_id
        for offer_id in (one["offer_id"] for one in items)
        if terms[offer_id].first_price is not None
    }
    if not asked:
        return asked
    return asked - introduction.had_before(member_id=member_id, offer_ids=asked)


def _item(order: Order, position: int, line: _Line, today_on: date) -> OrderItem:
    units = line.quantity * (line.gift_periods or 1)
    price = policy.priced(taxed(line.version, line.each, on=today_on), quantity=units)
    return OrderItem(
        id=new_id(),
        order_id=order.id,
        position=position,
        offer_version_id=line.version.id,
        quantity=line.quantity,
        gift_periods=line.gift_periods,
        gross=price.gross,
        net=price.net,
        vat=price.vat,
    )
