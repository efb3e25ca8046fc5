"""An item takes its cups under the wallet's lock, one by one: the plain way, for what is rare."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import ledger
from kernel.db import db
from kernel.ids import new_id
from kernel.outbox import Outbox
from ledger import Event
from redemption import till_money
from redemption.models import Redemption, RedemptionLine
from redemption.offline.reading import Met
from redemption.policy import Taken
from vouchers.models import Lot
from vouchers.slices import take_out


def hand_over(met: Met, picks: Iterable[Taken], *, is_news: bool, now: datetime) -> UUID:
    """Let an item take what was chosen for it, and book it; answer the redemption.

    The wallet is locked, and what was given back is back: so what the cups carry is counted anew.
    Only what the member has not heard of yet `is_news`.
    """
    assert met.member_id is not None  # there are lots
    taken = [_taken(met.member_id, pick) for pick in picks]
    redemption = _redemption(met, met.member_id, taken)
    redemption.entry_id = _book(redemption, met, taken)
    db.session.add(redemption)
    db.session.flush()
    db.session.add_all(_line(redemption, met, pick) for pick in taken)
    if is_news:
        _promise("redemption.done", redemption, now)
    if till_money.is_taxed(taken):
        _promise("redemption.taxed", redemption, now)
    return redemption.id


def _taken(member_id: UUID, pick: Taken) -> Taken:
    """Take cups out of a lot as it is now; of those that nobody counts nothing leaves."""
    if pick.lot.is_unlimited:
        return pick
    lot = db.session.get_one(Lot, (member_id, pick.lot.id), populate_existing=True)
    leaving = take_out(lot, pick.cups)
    db.session.flush()
    return replace(pick, amount=leaving.net, vat=leaving.vat)


def _redemption(met: Met, member_id: UUID, taken: Sequence[Taken]) -> Redemption:
    item, serial = met.brought.item, met.brought.serial
    assert serial is not None  # it has a capsule
    return Redemption(
        member_id=member_id,
        id=new_id(),
        store_id=met.store_id,
        device_id=item.device_id,
        staff_id=item.staff_id,
        cups=sum(pick.cups for pick in taken),
        redeemed_at=met.served_at,
        business_day=met.business_day,
        credential_id=serial,
        step=None,
        is_offline=True,
    )


def _line(redemption: Redemption, met: Met, pick: Taken) -> RedemptionLine:
    return RedemptionLine(
        member_id=redemption.member_id,
        redemption_id=redemption.id,
        lot_id=pick.lot.id,
        product_id=met.brought.item.product_id,
        offer_id=pick.lot.offer_id,
        cups=pick.cups,
        amount=pick.amount,
        vat=pick.vat,
    )


def _book(redemption: Redemption, met: Met, taken: Sequence[Taken]) -> UUID | None:
    pairs = till_money.postings(taken, made_at_id=met.store_id)
    if not pairs:
        return None
    return ledger.post(
        Event(
            member_id=redemption.member_id,
            kind="redemption",
            source_id=redemption.id,
            pairs=pairs,
            event_at=met.served_at,
            occurred_on=met.served_on,
            known_on=met.known_on,
            currency=taken[0].lot.currency,
        )
    )


def _promise(topic: str, redemption: Redemption, now: datetime) -> None:
    """As an upload's one statement does: subscribers want the member among the facts."""
    db.session.add(
        Outbox(
            member_id=redemption.member_id,
            id=new_id(),
            topic=topic,
            facts={"member_id": str(redemption.member_id), "redemption_id": str(redemption.id)},
            created_at=now,
            due_at=now,
        )
    )
