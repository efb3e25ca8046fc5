"""What must be true of a stage: after every step, and when nothing is left to do."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text

from kernel import clock
from kernel.db import db
from kernel.outbox import Outbox
from kernel.queue import Duty
from kernel.transaction import transaction
from ledger import policy as books
from payments.models import Payment, PaymentDifference, ProviderEvent, Repayment
from subs.models import Period
from tests.faults.stage import OPEN_REPAYMENTS, Stage
from tests.service.ledger.trade import check_everything
from vouchers.models import Gift, Order, Refund

_PAID = ("succeeded", "surplus")
_MINOR = 100

_NEVER_LOGGED = {
    "clock.not_moved",
    "inbox.dead",
    "inbox.one_by_one",
    "look.broken",
    "lots.not_refunded",
    "order.not_ended",
    "outbox.dead",
    "outbox.one_by_one",
    "outbox.postponed",
    "payment.unsettled",
    "renewal.broken",
    "renewal.one_by_one",
    "repayment.unsettled",
}
"""What our own code says when something happened that it had not thought of."""

_WAITS_FOR_HOLDER = select(Period.payment_id).where(Period.asked_at.is_not(None))
"""Renewals that somebody was asked to authenticate: they wait as long as the plan's grace."""

_BROKEN: Mapping[str, str] = {
    "a lot gave what it had": """
        SELECT member_id, id FROM lot WHERE NOT used BETWEEN 0 AND units
    """,
    "an order is fulfilled once, and whole": """
        SELECT item.order_id, item.quantity, count(DISTINCT lot.id)
        FROM order_item AS item JOIN voucher_order AS placed ON placed.id = item.order_id
        JOIN offer_version AS version ON version.id = item.offer_version_id
        JOIN offer ON offer.id = version.offer_id AND offer.kind = 'pack'
        LEFT JOIN lot ON lot.source = 'order_item' AND lot.source_id = item.id AND NOT lot.is_bonus
        GROUP BY item.order_id, item.id, item.quantity, placed.status
        HAVING count(DISTINCT lot.id)
               <> CASE WHEN placed.status = 'fulfilled' THEN item.quantity ELSE 0 END
    """,
    "a payment gives back what its repayments say": """
        SELECT payment.id, payment.repaid, coalesce(sum(repayment.amount), 0)
        FROM payment
        LEFT JOIN repayment ON repayment.payment_id = payment.id AND repayment.status <> 'failed'
        GROUP BY payment.id HAVING payment.repaid <> coalesce(sum(repayment.amount), 0)
    """,
    "a refund has one living repayment of what is payable": """
        SELECT refund.id, refund.payable, refund.status, count(repayment.id), sum(repayment.amount)
        FROM refund LEFT JOIN repayment ON repayment.purpose = 'refund'
             AND repayment.purpose_id = refund.id AND repayment.status <> 'failed'
        GROUP BY refund.id
        HAVING coalesce(sum(repayment.amount), 0) NOT IN (0, refund.payable)
            OR (refund.status = 'paid' AND refund.settled_by_id IS NULL AND refund.payable > 0
                AND count(repayment.id) = 0 AND NOT EXISTS (
                    SELECT FROM outbox WHERE is_open AND topic LIKE 'refund.%'))
    """,
    "a redemption is undone or books what it gave": """
        SELECT redemption.id FROM redemption
        LEFT JOIN redemption_line AS line
          ON line.member_id = redemption.member_id AND line.redemption_id = redemption.id
        GROUP BY redemption.member_id, redemption.id, redemption.cups
        HAVING coalesce(sum(line.cups), 0) <> redemption.cups
    """,
    "cups of a pack are never more than were sold": """
        SELECT lot.source_id, lot.ordinal FROM lot
        JOIN gift_item AS item ON item.member_id = lot.member_id AND item.lot_id = lot.id
        JOIN gift ON gift.id = item.gift_id AND gift.status IN ('open', 'claimed')
        GROUP BY lot.member_id, lot.id HAVING sum(item.cups) > lot.used
    """,
}
"""Rows that must not be there, by what they would break."""


def check_now(stage: Stage, *, with_books: bool) -> None:
    """What holds after every step, whatever died and whatever is still on its way."""
    broken = {what: rows for what, asked in _BROKEN.items() if (rows := _rows(asked))}
    assert not broken, broken
    assert not (gone := list(_gone(stage))), f"answers that are gone: {gone}"
    assert not (said := [one for one in stage.log if one["event"] in _NEVER_LOGGED]), said
    assert not (odd := _odd_events()), odd
    assert not (differ := list(_provider_beyond_us(stage))), differ
    if with_books:
        assert not (found := check_everything()), found


def check_at_the_end(stage: Stage) -> None:
    """What holds when every event was heard and every duty done."""
    check_now(stage, with_books=True)
    assert not (left := _left_to_do()), left
    assert not (unpaid := list(_neither_cups_nor_money())), unpaid
    assert not (differ := list(_provider_differs(stage))), differ
    assert (booked := _booked_cash()) == (held := _held(stage)), f"booked {booked}, held {held}"
    with transaction():
        noted = db.session.scalars(
            select(PaymentDifference).where(PaymentDifference.gone_at.is_(None))
        ).all()
    assert not noted, [(one.kind, one.ref, one.facts) for one in noted]


def come_to_rest(stage: Stage) -> None:
    """Faults end, banks settle, every event that is not lost is heard, every duty is done.

    What was lost is found by whoever looks. Time passes until nothing is due any more.
    """
    stage.sandbox.mend()
    for payment in stage.sandbox.all_at_terminals():
        if payment["status"] == "waiting":
            stage.sandbox.tap(payment["id"], "declined")
    # The last step is a day, since once a day the look lists again what is older.
    for step in (_AT_ONCE, *_LATER * 3, timedelta(days=1), *_LATER):
        stage.pass_time(step)
        for refund in stage.sandbox.all("refund"):
            if refund["status"] == "pending":
                stage.sandbox.settle(refund["id"], "succeeded")
        stage.tell(stage.untold())
        do_what_is_due(stage)
    stage.tell(stage.untold())
    do_what_is_due(stage)


_CLOCKS = "subs.clock_jobs.move_clocks"
_AT_ONCE = timedelta(seconds=3)
_ROUNDS = 60
_LATER = (timedelta(minutes=3), timedelta(minutes=31), timedelta(minutes=65))


def do_what_is_due(stage: Stage) -> None:
    """Until nothing is, by everybody's clock or by that of a member."""
    for _ in range(_ROUNDS):
        jobs = due(stage)
        for job in (*jobs, *(stage.duties.keys() & {_CLOCKS})):
            assert stage.do(job) is None
        if not jobs and not due(stage):
            return
    raise AssertionError(f"never done: {due(stage)}")


def due(stage: Stage) -> list[str]:
    """The duties that a tick would ring for; it rings for clocks that were moved without end."""
    return [job for job, duty in stage.duties.items() if job != _CLOCKS and _is_due(duty)]


def _is_due(duty: Duty) -> bool:
    with transaction():
        return db.session.execute(duty.due(clock.now()).limit(1)).first() is not None


def _rows(asked: str) -> list[Any]:
    with transaction():
        return [tuple(row) for row in db.session.execute(text(asked))]


def _gone(stage: Stage) -> Iterator[object]:
    """What was answered and is not there any more."""
    wanted: dict[type[Any], set[UUID]] = defaultdict(set)
    for model, named in stage.promised:
        wanted[model].add(named)
    with transaction():
        for model, ids in wanted.items():
            there = set(db.session.scalars(select(model.id).where(model.id.in_(ids))))
            yield from ((model.__name__, named) for named in ids - there)


def _odd_events() -> list[tuple[str, str | None]]:
    """Events that could not be worked off for another reason than a provider's silence."""
    with transaction():
        tried = select(ProviderEvent.type, ProviderEvent.last_error).where(ProviderEvent.tries > 0)
        rows = db.session.execute(tried).all()
    return [(kind, why) for kind, why in rows if not str(why).startswith("NoAnswer")]


def _provider_beyond_us(stage: Stage) -> Iterator[object]:
    """Money that moved at the provider beyond what our rows allow, or that only we believe in."""
    ours = _payments()
    seen: Counter[UUID] = Counter()
    for intent in stage.sandbox.all("payment_intent"):
        if intent["status"] != "succeeded":
            continue
        payment = ours.get(UUID(intent["metadata"]["payment_id"]))
        if payment is None or intent["amount"] != payment.amount * _MINOR:
            yield "charged what nobody asked for", intent["id"]
            continue
        seen[payment.id] += 1
        back = _given_back_minor(stage, intent["id"])
        if back > payment.repaid * _MINOR:
            yield "gave back more than was begun", intent["id"], back, payment.repaid
    for one in stage.sandbox.all_at_terminals():
        payment = ours.get(UUID(one["id"]))
        seen[UUID(one["id"])] += one["status"] == "approved"
        if payment is None or one["refunded"] > payment.repaid:
            yield "a terminal gave back more than was begun", one["id"]
    for payment in ours.values():
        is_paid = payment.status in _PAID and payment.provider != "cash"
        if seen[payment.id] > 1 or (is_paid and not seen[payment.id]):
            yield "taken so often", payment.id, payment.status, seen[payment.id]


def _given_back_minor(stage: Stage, intent_id: str) -> int:
    """What has left for good or is on its way, in the provider's units."""
    return sum(
        refund["amount"]
        for refund in stage.sandbox.all("refund")
        if refund["payment_intent"] == intent_id and refund["status"] not in ("failed", "canceled")
    )


def _payments() -> dict[UUID, Payment]:
    with transaction():
        return {payment.id: payment for payment in db.session.scalars(select(Payment))}


def _left_to_do() -> dict[str, object]:
    """What still waits, although everything was done that was due."""
    asked = {
        "promises": select(Outbox.topic).where(Outbox.is_open, Outbox.due_at <= clock.now()),
        "events": select(ProviderEvent.type).where(ProviderEvent.is_open),
        "payments": select(Payment.id, Payment.status).where(
            Payment.settled_at.is_(None), Payment.id.not_in(_WAITS_FOR_HOLDER)
        ),
        "repayments": select(Repayment.id, Repayment.status).where(
            OPEN_REPAYMENTS,
            Repayment.provider != "cash",
            Repayment.due_at <= clock.now(),
        ),
        "orders": select(Order.id).where(Order.status == "pending"),
        "refunds": select(Refund.id, Refund.status).where(
            Refund.status == "owed",
            Refund.payable > 0,
            ~select(Repayment.id)
            .where(Repayment.purpose_id == Refund.id, OPEN_REPAYMENTS)
            .exists(),
        ),
        "gifts": select(Gift.id).where(
            Gift.status == "open", Gift.due_at <= clock.now(), Gift.frozen_at.is_(None)
        ),
        "disputes": text("SELECT id FROM dispute WHERE followed IS DISTINCT FROM status"),
        "invoices": text("SELECT id, status FROM invoice_document WHERE status = 'due'"),
    }
    with transaction():
        found = {what: db.session.execute(rows).all() for what, rows in asked.items()}
    return {what: rows for what, rows in found.items() if rows}


def _neither_cups_nor_money() -> Iterator[object]:
    """Payments that came, for which there are neither cups nor the money back."""
    with transaction():
        for payment in db.session.scalars(select(Payment).where(Payment.status.in_(_PAID))):
            order = db.session.get(Order, payment.purpose_id)
            if payment.status == "succeeded" and order and order.status != "fulfilled":
                yield payment.id, order.status
            returned = select(func.count()).where(
                Repayment.payment_id == payment.id, Repayment.purpose == "surplus"
            )
            if payment.status == "surplus" and not db.session.scalar(returned):
                yield payment.id, "surplus that stays"


def _provider_differs(stage: Stage) -> Iterator[object]:
    """Payments and repayments of which the provider and our rows say another thing."""
    ours = _payments()
    with transaction():
        back: Counter[UUID] = Counter()
        for one in db.session.scalars(select(Repayment).where(Repayment.status != "failed")):
            has_left = one.status in ("succeeded", "processing") or one.provider_ref is not None
            back[one.payment_id] += one.amount if has_left else 0
    for intent in stage.sandbox.all("payment_intent"):
        payment = ours.get(UUID(intent["metadata"]["payment_id"]))
        is_paid = payment is not None and payment.status in _PAID
        if is_paid != (intent["status"] == "succeeded"):
            yield "paid or not", intent["id"], intent["status"], payment and payment.status
        elif is_paid and payment is not None:
            theirs = _given_back_minor(stage, intent["id"])
            if theirs != back[payment.id] * _MINOR:
                yield "given back", intent["id"], theirs, back[payment.id]
    for one in stage.sandbox.all_at_terminals():
        payment = ours[UUID(one["id"])]
        if (payment.status in _PAID) != (one["status"] == "approved"):
            yield "paid at the terminal or not", one, payment.status
        elif one["refunded"] != back[payment.id]:
            yield "given back at the terminal", one, back[payment.id]


def _booked_cash() -> int:
    """What the books say that there is, but for what tills collected for dearer drinks."""
    (moved,) = _rows(f"""
        SELECT coalesce(sum(CASE WHEN line.debit = '{books.CASH}' THEN line.amount
                                 ELSE -line.amount END), 0)
        FROM line JOIN entry ON entry.member_id = line.member_id AND entry.id = line.entry_id
        WHERE '{books.CASH}' IN (line.debit, line.credit)
          AND NOT (line.credit = '{books.TOP_UPS}' OR line.debit = '{books.TOP_UPS}')
    """)
    (top_ups,) = _rows("SELECT coalesce(sum(top_up), 0) FROM redemption WHERE voided_at IS NULL")
    (of_top_ups,) = _rows(f"""
        SELECT coalesce(sum(CASE WHEN line.credit = '{books.TOP_UPS}' THEN line.amount
                                 ELSE -line.amount END), 0)
        FROM line WHERE '{books.TOP_UPS}' IN (line.debit, line.credit)
    """)
    return int(moved[0] + of_top_ups[0] - top_ups[0])


def _held(stage: Stage) -> int:
    """What providers, drawers and banks hold for the chain, in whole units."""
    minor = sum(
        one["amount"] for one in stage.sandbox.all("charge") if one["status"] == "succeeded"
    )
    minor -= sum(
        one["amount"] for one in stage.sandbox.all("refund") if one["status"] == "succeeded"
    )
    minor -= sum(
        one["amount"]
        for one in stage.sandbox.all("dispute")
        if one["status"] in ("needs_response", "under_review", "lost")
    )
    assert minor % _MINOR == 0
    at_terminals = sum(
        one["amount"] - one["refunded"]
        for one in stage.sandbox.all_at_terminals()
        if one["status"] == "approved"
    )
    with transaction():
        in_drawers = db.session.scalar(
            select(func.coalesce(func.sum(Payment.amount), 0)).where(Payment.provider == "cash")
        )
        handed_out = db.session.scalar(
            select(func.coalesce(func.sum(Repayment.amount), 0)).where(
                Repayment.provider == "cash", Repayment.status == "succeeded"
            )
        )
        otherwise = db.session.scalar(
            select(func.coalesce(func.sum(Refund.payable), 0)).where(
                Refund.settled_by_id.is_not(None)
            )
        )
    return minor // _MINOR + at_terminals + int(in_drawers - handed_out - otherwise)
