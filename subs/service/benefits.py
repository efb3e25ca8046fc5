"""What a paid period gives: cups, or days of an unlimited plan or of a membership (ADR 0035).

A period gives one lot, or one for each grant of it. Cups end with their period; where they may be
carried over, or the plan stays good in its grace, only when that is over. What nobody counts is a
lot without units, which earns its money by the day.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Uuid, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY

import chain
import invoicing
import payments
import vouchers
from chain.models import Store
from invoicing import InvoiceLine, Sale
from kernel.db import db
from subs import notices
from subs.models import Period, Subscription
from subs.service.carrying import Ended, carry_over
from subs.service.granted_lot import Granting, lot_of, next_grant_at
from subs.service.granting_again import promise_grants
from subs.service.rows import Plan
from vouchers.buyers import BuyerOfItem
from vouchers.models import Lot, OrderItem
from vouchers.policy import PURPOSE as ORDER
from vouchers.service.grant import Grant, put_granted
from vouchers.slices import Prepaid
from vouchers.wallet import change_wallets

PERIOD = "subscription_period"
"""What payments for renewals are for."""

_IDS = ARRAY(Uuid)
_GRANTED = select(Lot.source_id).where(
    Lot.member_id == any_(bindparam("members", type_=_IDS)),
    Lot.source == "period",
    Lot.source_id == any_(bindparam("periods", type_=_IDS)),
)
_ORDERS = select(OrderItem.id, OrderItem.order_id).where(
    OrderItem.id == any_(bindparam("items", type_=_IDS))
)


@dataclass(frozen=True, slots=True)
class Settled:
    """A period that is paid, by which terms, when, and with what.

    `order_item_id` names the line of the order that paid for a first one; `prepaid` what somebody
    had paid before, for it to be given.
    """

    subscription: Subscription
    period: Period
    plan: Plan
    paid_at: datetime
    order_item_id: UUID | None = None
    prepaid: Prepaid | None = None


def grant_all(settled: Sequence[Settled], *, now: datetime) -> Mapping[UUID, Ended]:
    """Grant what paid periods give, carry over what the ones before left, and owe their invoices.

    Answers, by the period, what did not go along into it.

    In the caller's transaction, each period once however often it is told. Locks the wallets by
    their ids. The number of statements does not grow with the number of periods, which are paid
    in the database already; neither they nor the subscriptions are written to.
    """
    change_wallets([one.subscription.member_id for one in settled])
    fresh = _not_granted(settled)
    if not fresh:
        return {}
    stores = chain.find_stores({_store_of(one) for one in fresh})
    granting = [_granting(one, stores) for one in fresh]
    ended = carry_over(granting, now=now)
    put_granted(list(_grants(fresh, granting, now=now)), stores=stores)
    promise_grants({its.period: next_grant_at(its) for its in granting if its.terms.grants})
    _invoice(fresh, now=now)
    for one in fresh:
        if one.prepaid is not None:
            version = one.plan.version
            notices.promise_prepaid_end(one.subscription, one.period, version, now=now)
    return ended


def _not_granted(settled: Sequence[Settled]) -> list[Settled]:
    of = {
        "members": [one.subscription.member_id for one in settled],
        "periods": [one.period.id for one in settled],
    }
    granted = set(db.session.scalars(_GRANTED, of))
    return [one for one in settled if one.period.id not in granted]


def _store_of(one: Settled) -> UUID:
    """Where its money is owed: what was prepaid stays where it was sold."""
    return one.subscription.store_id if one.prepaid is None else one.prepaid.lot.store_id


def _granting(one: Settled, stores: Mapping[UUID, Store]) -> Granting:
    assert one.period.net is not None  # a paid period has both
    assert one.period.vat is not None
    prepaid = one.prepaid
    return Granting(
        subscription=one.subscription,
        period=one.period,
        plan=one.plan,
        paid_at=one.paid_at,
        store=stores[_store_of(one)],
        net=one.period.net if prepaid is None else prepaid.part.net,
        vat=one.period.vat if prepaid is None else prepaid.part.vat,
        buyer_id=one.subscription.member_id if prepaid is None else prepaid.lot.buyer_id,
        order_item_id=one.order_item_id if prepaid is None else prepaid.lot.order_item_id,
    )


def _grants(
    fresh: Sequence[Settled], granting: Sequence[Granting], *, now: datetime
) -> Iterator[Grant]:
    disputed = _disputed(granting)
    for one, its in zip(fresh, granting, strict=True):
        lot = lot_of(its, frozen_at=now if one.period.id in disputed else None)
        if lot is not None:
            yield Grant(lot, one.prepaid)


def _disputed(granting: Sequence[Granting]) -> set[UUID]:
    """The periods for which money was paid that a bank has taken back for the time being."""
    periods = [its.period.id for its in granting]
    paid_by = {its.period.id: its.order_item_id for its in granting if its.order_item_id}
    disputed = payments.find_disputed(purpose=PERIOD, purpose_ids=periods)
    if not paid_by:
        return disputed
    found = db.session.execute(_ORDERS, {"items": list(paid_by.values())})
    orders = {row.id: row.order_id for row in found}
    bad = payments.find_disputed(purpose=ORDER, purpose_ids=set(orders.values()))
    return disputed | {period for period, item in paid_by.items() if orders.get(item) in bad}


def _invoice(fresh: Sequence[Settled], *, now: datetime) -> None:
    """Owe invoices for what was paid now, made out as the order asked that began the plan."""
    sold = [
        one
        for one in fresh
        if one.prepaid is None and one.period.price > 0 and one.plan.version.vat_timing == "sale"
    ]
    if not sold:
        return
    buyers = vouchers.buyers_of_items([one.subscription.order_item_id for one in sold])
    invoicing.issue_all([_sale(one, buyers) for one in sold], now=now)


def _sale(one: Settled, buyers: Mapping[UUID, BuyerOfItem]) -> Sale:
    version, period, subscription = one.plan.version, one.period, one.subscription
    assert period.net is not None  # as above
    assert period.vat is not None
    began = buyers[subscription.order_item_id]
    return Sale(
        member_id=subscription.member_id,
        store_id=subscription.store_id,
        source="period",
        source_id=period.id,
        currency=version.currency,
        lines=[
            InvoiceLine(
                version.name, 1, period.price, period.net, period.vat, vat_code=version.vat_code
            )
        ],
        buyer=began.buyer if began.member_id == subscription.member_id else None,
        sold_at=one.paid_at,
    )
