"""Unused cups are given back for money: either the cup or the money, never both."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import structlog

import chain
import invoicing
import ledger
import payments
from kernel import alerts
from kernel.db import db
from kernel.errors import Refusal
from kernel.ids import new_id
from ledger import Event
from ledger.policy import UNDER_WAY, Returned
from vouchers.models import Refund, RefundLine
from vouchers.naming import unit_of
from vouchers.refund_errors import NotRefundable
from vouchers.refund_notices import tell_refund
from vouchers.refund_origin import invoices_of
from vouchers.service.earning import earn_until
from vouchers.service.refund_preview import DecidedLine, Decision, decide, decide_wish
from vouchers.service.refund_wish import Part, Wish, find_holders, find_lots
from vouchers.slices import take_out
from vouchers.wallet import change_wallets
from vouchers.withdrawn import tell_withdrawn

__all__ = ["Part", "refund", "refund_lots"]

log = structlog.get_logger()

_DESCRIPTION = "退回未取杯數"


def refund(wish: Wish, *, asked_by_id: UUID, now: datetime) -> list[Refund]:
    """Give back unused cups, in the caller's transaction; the money goes to whoever paid.

    1. Lock the wallets that hold the cups, in the order of ids: a redemption that was decided
    before writes nothing after this, and decides again. What has been earned by the day is not
    left. 2. Decide as the preview does. 3. Let the cups go, book what is owed, take back the
    invoice, begin the repayment. A refund for each payment and rule.

    Raises:
        NotFound: the order or a lot is not there, or somebody else's.
        NothingToRefund, TooFewLeft, CupsFrozen, NotRefundable, WholeRestOnly: see `decide_wish`.
    """
    holders = find_holders(wish)
    change_wallets(holders)
    earn_until(holders, now=now)
    decisions = decide_wish(wish, find_lots(wish), now=now)
    tell_withdrawn(holders, now=now)
    made = [
        _give_back(decision, asked_by_id=asked_by_id, is_asked=True, now=now)
        for decision in decisions
    ]
    _tell(decisions, now)
    return made


def refund_lots(
    parts: Sequence[Part], *, reason: Literal["expiry", "gift_unclaimed"], now: datetime
) -> list[Refund]:
    """Give back cups by the chain's own terms: past their end, or of a gift that nobody took.

    In the caller's transaction, who has locked the wallets; the lots are as they were read under
    the locks. What cannot be repaid is owed all the same: finance is alerted.
    """
    decisions = decide(parts, asked=reason, now=now)
    made = [
        _give_back(decision, asked_by_id=None, is_asked=False, now=now) for decision in decisions
    ]
    _tell(decisions, now)
    return made


def _give_back(
    decision: Decision, *, asked_by_id: UUID | None, is_asked: bool, now: datetime
) -> Refund:
    first = decision.lines[0].part.lot
    made = Refund(
        id=new_id(),
        payer_id=first.buyer_id,
        purpose=decision.paid_for.purpose,
        purpose_id=decision.paid_for.purpose_id,
        store_id=first.store_id,
        reason=decision.reason,
        basis=decision.basis,
        asked_by_id=asked_by_id,
        currency=decision.currency,
        gross=decision.gross,
        kept=decision.kept,
        fee=decision.fee,
        payable=decision.payable,
        status="owed" if decision.payable else "paid",
        refunded_at=now,
        paid_at=None if decision.payable else now,
    )
    db.session.add(made)
    db.session.flush()
    _let_go(decision, made, now)
    _take_back(decision, made, now)
    if made.payable:
        _repay(made, is_asked=is_asked, now=now)
    return made


def _tell(decisions: Sequence[Decision], now: datetime) -> None:
    """Tell each payer; what goes back by several payments for the same cups, together."""
    more = sum(one.payable for one in decisions if not _takes_cups(one))
    for one in decisions:
        if _takes_cups(one):
            first = one.lines[0]
            tell_refund(
                first.part.lot.buyer_id,
                cups=sum(line.returned.cups for line in one.lines),
                unit=unit_of(first.part.lot, first.terms),
                payable=one.payable + more,
                currency=one.currency,
                now=now,
            )
            more = 0


def _takes_cups(decision: Decision) -> bool:
    return any(line.takes_cups for line in decision.lines)


def _let_go(decision: Decision, made: Refund, now: datetime) -> None:
    """Let the cups leave their lots; those of a gift have left before. An entry for each line."""
    for line in decision.lines:
        if line.part.gift_id is None and line.takes_cups:
            take_out(line.part.lot, line.part.cups)
    entry_ids = ledger.post_all([_event(line, now) for line in decision.lines])
    db.session.add_all(
        RefundLine(
            refund_id=made.id,
            ordinal=ordinal,
            member_id=line.part.lot.member_id,
            lot_id=line.part.lot.id,
            gift_id=line.part.gift_id,
            cups=line.returned.cups,
            net=line.returned.net,
            vat=line.returned.vat,
            kept_net=line.returned.kept_net,
            kept_vat=line.returned.kept_vat,
            fee_net=line.returned.fee_net,
            fee_vat=line.returned.fee_vat,
            entry_id=entry_id,
        )
        for ordinal, (line, entry_id) in enumerate(zip(decision.lines, entry_ids, strict=True), 1)
    )
    db.session.flush()


def _event(line: DecidedLine, now: datetime) -> Event:
    lot = line.part.lot
    return Event(
        member_id=lot.member_id,
        kind="refund",
        source_id=lot.id,
        pairs=ledger.policy.refund(
            line.returned,
            store_id=lot.store_id,
            account=lot.account if line.part.gift_id is None else UNDER_WAY,
            offer_id=lot.offer_id,
            lot_id=lot.id,
        ),
        event_at=now,
        occurred_on=chain.local_date(lot.store_id, now),
        currency=lot.currency,
    )


def _take_back(decision: Decision, made: Refund, now: datetime) -> None:
    """Take back of the invoices what really goes back, of what was invoiced when it was sold."""
    of = invoices_of([line.part.lot for line in decision.lines])
    sold: dict[tuple[str, UUID], list[Returned]] = defaultdict(list)
    for line in decision.lines:
        if line.terms.vat_timing == "sale":
            invoiced = of[line.part.lot.id] if line.share is None else line.share.invoiced
            sold[invoiced].append(line.returned)
    for (source, source_id), back in sold.items():
        net = sum(one.net - one.kept_net - one.fee_net for one in back)
        vat = sum(one.vat - one.kept_vat - one.fee_vat for one in back)
        invoicing.take_back(
            source=source,
            source_id=source_id,
            cause_id=made.id,
            gross=net + vat,
            net=net,
            vat=vat,
            description=_DESCRIPTION,
            now=now,
        )


def _repay(made: Refund, *, is_asked: bool, now: datetime) -> None:
    """Send the money back to where it came from; who asked hears a no, nobody else can."""
    try:
        paid = payments.find_paid(purpose=made.purpose, purpose_id=made.purpose_id)
        if paid is None:
            raise NotRefundable(why="unpaid")
        payments.begin_repayment(
            payment_id=paid.id,
            purpose="refund",
            purpose_id=made.id,
            amount=made.payable,
            now=now,
        )
    except Refusal as refusal:
        if is_asked:
            raise
        made.status = "failed"
        log.error(  # noqa: TRY400  it is a refusal, no bug
            "refund.failed", refund_id=str(made.id), failure=refusal.code
        )
        alerts.alert(f"Refund {made.id} cannot be repaid: {refusal.code}", now=now)
