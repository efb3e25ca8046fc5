"""A change of plan takes effect within its period (E6): one lot takes over what is left.

What is left of the old plan, in cups and in money, moves to a lot of the new plan; what was paid
for the change is a sale into the same lot, and what comes back leaves before it moves.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict
from uuid import UUID

import chain
import invoicing
import ledger
import vouchers
from invoicing import InvoiceLine
from kernel.db import db
from kernel.ids import new_id
from ledger import Event
from ledger.policy import PLANS, Pair
from subs import benefit_policy, change_notices, notices
from subs import change_policy as policy
from subs.change_policy import Held, Proration
from subs.models import PlanChange
from subs.policy import Span
from subs.service import history, sharing
from subs.service.asked_change import facts_of
from subs.service.change_quote import Change, terms_of
from subs.service.giving_back import lapse
from subs.service.granted_lot import terms_of as benefits_of
from subs.service.money_back import PURPOSE, Payer, give_back
from subs.service.period_lots import empty, held_in, is_today_gone
from vouchers import earning_policy, expiry_policy
from vouchers.models import Lot


@dataclass(frozen=True, slots=True)
class Applying:
    """A change under the locks of its subscription and wallet, with what is left of its period.

    `paid_at` is when it was paid for; for what cost nothing, now. `back` is what comes back
    to whom.
    """

    change: Change
    row: PlanChange
    lots: Sequence[Lot]
    proration: Proration
    paid_at: datetime
    now: datetime
    back: Sequence[tuple[Payer, Held]] = ()

    @property
    def held(self) -> list[Held]:
        return held_in(self.lots, now=self.now)


def apply(applying: Applying) -> None:
    """Change the plan now.

    1. Give back what comes back. 2. Let the rest move to a lot of the new plan, with what was paid;
    where no cup is left, it lapses. 3. The subscription is on the new terms; what is owed to its
    member in paper and words follows.
    """
    change, row = applying.change, applying.row
    left = _give_back(applying)
    _move(applying, left)
    subscription = change.subscription
    subscription.offer_version_id, subscription.next_version_id = change.after.version.id, None
    row.status, row.settled_at = "applied", applying.now
    db.session.flush()
    _invoice(applying)
    history.remark(subscription, "changed", at=applying.now, **facts_of(row))
    told = change_notices.changed(
        subscription, change.after.version, amount=row.amount, ends_at=change.period.ends_at
    )
    notices.tell([told], now=applying.now)
    sharing.let_go({subscription: change.after.schedule.sharers}, now=applying.now)


def can_take_over(applying: Applying) -> bool:
    """Whether what is left, and what was paid, still finds a cup of the new plan to go with."""
    return not policy.is_for_nothing(applying.proration, terms_of(applying.change.after))


def _give_back(applying: Applying) -> list[Held]:
    subscription, lots = applying.change.subscription, applying.lots
    return give_back(subscription, lots, applying.held, applying.back, now=applying.now)


def _move(applying: Applying, left: Sequence[Held]) -> None:
    after = terms_of(applying.change.after)
    if after.cups is not None and applying.proration.arriving == 0:
        lapse(applying.lots, left, now=applying.now)
        empty(applying.lots)
        db.session.flush()
        return
    lot = _lot(applying, policy.total(left))
    db.session.add(lot)
    empty(applying.lots)
    db.session.flush()
    ledger.post_all([event for event in _events(applying, left, lot) if event.pairs])


def _lot(applying: Applying, moved: Held) -> Lot:
    """The lot of the new plan, until the end of the period."""
    change, row = applying.change, applying.row
    version, schedule = change.after
    span = Span(change.period.starts_at, change.period.ends_at)
    before = applying.lots[0] if applying.lots else None
    lot = Lot(
        member_id=row.member_id,
        id=new_id(),
        offer_version_id=version.id,
        offer_id=version.offer_id,
        store_id=change.subscription.store_id if before is None else before.store_id,
        source=PURPOSE,
        source_id=row.id,
        buyer_id=row.member_id,
        order_item_id=None if before is None else before.order_item_id,
        subscription_id=row.subscription_id,
        account=PLANS,
        currency=row.currency,
        units=applying.proration.arriving,
        net=moved.net + max(row.net, 0),
        vat=moved.vat + max(row.vat, 0),
        sold_at=applying.paid_at,
        expiry_mode="lapse",
        ends_at=benefit_policy.good_until(benefits_of(version, schedule), span, next_grant_at=None),
        frozen_at=next((one.frozen_at for one in applying.lots if one.frozen_at), None),
    )
    _set_due(lot, applying)
    return lot


def _set_due(lot: Lot, applying: Applying) -> None:
    assert lot.ends_at is not None  # what a plan gives has an end
    version, schedule = applying.change.after
    time_zone = chain.get_store(lot.store_id).time_zone
    if lot.units:
        outlasts = benefits_of(version, schedule).outlasts
        lot.due_at = (
            lot.ends_at
            if outlasts
            else expiry_policy.first_due_at(
                sold_at=lot.sold_at, ends_at=lot.ends_at, time_zone=time_zone
            )
        )
        return
    days = earning_policy.days_of(
        starts_at=applying.now,
        ends_at=applying.change.period.ends_at,
        time_zone=time_zone,
        is_first_gone=is_today_gone(applying.lots, now=applying.now),
    )
    lot.earns_from_on, lot.earns_days = days.from_on, days.count
    lot.due_at = earning_policy.first_due_at(
        days,
        sold_at=applying.now,
        ends_at=lot.ends_at,
        time_zone=time_zone,
        is_free=not lot.net and not lot.vat,
    )


def _events(applying: Applying, left: Sequence[Held], lot: Lot) -> Iterator[Event]:
    """What was paid now is a sale of the cups that are added; the rest is on its way from lots."""
    row, added = applying.row, applying.proration.added
    today = chain.local_date(lot.store_id, applying.now)
    if row.amount > 0:
        yield Event(
            member_id=lot.member_id,
            kind="sale",
            source_id=lot.id,
            pairs=ledger.policy.sale(
                store_id=lot.store_id,
                account=lot.account,
                net=row.net,
                vat=row.vat,
                cups=added,
                offer_id=lot.offer_id,
                lot_id=lot.id,
            ),
            event_at=applying.paid_at,
            occurred_on=chain.local_date(lot.store_id, applying.paid_at),
            known_on=today,
            currency=lot.currency,
        )
    for_nothing = 0 if row.amount > 0 else added
    yield Event(
        member_id=lot.member_id,
        kind="transfer",
        source_id=lot.id,
        pairs=list(_transfer(applying, left, lot, for_nothing)),
        event_at=applying.now,
        occurred_on=today,
        currency=lot.currency,
    )


def _transfer(
    applying: Applying, left: Sequence[Held], lot: Lot, for_nothing: int
) -> Iterator[Pair]:
    """Money and cups, from each lot by way of what is under way; what differs, for nothing."""
    cups_left = applying.proration.moved
    for old, rest in zip(applying.lots, left, strict=True):
        moved = min(cups_left, rest.cups)
        cups_left -= moved
        if rest.net or moved:
            yield from ledger.policy.give(**_of(old), amount=rest.net, cups=moved)
        if rest.cups > moved:
            yield from ledger.policy.drop(**_of(old), cups=rest.cups - moved)
    together = policy.total(left)
    moved = applying.proration.moved - cups_left
    if together.net or moved:
        yield from ledger.policy.take(**_of(lot), amount=together.net, cups=moved)
    if for_nothing:
        yield from ledger.policy.add_free(**_of(lot), cups=for_nothing)


class _Place(TypedDict):
    """Where the cups and the money of a lot are in the books."""

    store_id: UUID
    account: str
    offer_id: UUID
    lot_id: UUID


def _of(lot: Lot) -> _Place:
    return _Place(store_id=lot.store_id, account=lot.account, offer_id=lot.offer_id, lot_id=lot.id)


def _invoice(applying: Applying) -> None:
    """Owe the invoice for what was paid, made out as the order asked that began the plan."""
    row, version = applying.row, applying.change.after.version
    subscription = applying.change.subscription
    if row.amount <= 0 or version.vat_timing != "sale":
        return
    began = vouchers.buyers_of_items([subscription.order_item_id])[subscription.order_item_id]
    invoicing.issue(
        member_id=row.member_id,
        store_id=subscription.store_id,
        source=PURPOSE,
        source_id=row.id,
        currency=row.currency,
        lines=[
            InvoiceLine(version.name, 1, row.amount, row.net, row.vat, vat_code=version.vat_code)
        ],
        buyer=began.buyer if began.member_id == row.member_id else None,
        sold_at=applying.paid_at,
        now=applying.now,
    )
