"""Every index earns its keep: the very statements of the rooms use it.

The tables of a test are nearly empty, where PostgreSQL would rather read them whole; so reading
them whole is made dear, and what is asked is whether the index can serve the statement at all.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

import invoicing
import members
import payments
import redemption
import subs
import vouchers
import worker
from chain.models import LegalEntity
from invoicing import Filter
from invoicing.errors import OutOfNumbers
from invoicing.models import Invoice
from invoicing.sending import due_documents
from invoicing.service.ranges import give_number
from kernel import hot
from kernel.db import Base, db
from kernel.due import is_due
from kernel.errors import NotFound
from kernel.ids import NOBODY, new_id
from kernel.transaction import transaction
from ledger import reports
from ledger.export.reading import Reading
from ledger.month import Month
from payments import settlements
from redemption import offline
from redemption.day.cells import read_day
from redemption.offline.personal import offline_items
from redemption.personal import shared_redemptions
from redemption.reading import READS_ONE, READS_SEVERAL
from redemption.service.void import find_by_id
from stream import news
from subs.models import PlanCount, PlanMigration, PlanSchedule, Subscription
from subs.personal import shared_plans
from subs.service import daily, migration, sharing
from subs.statistics.counting import recount_open
from tests.conftest import Engines
from vouchers import gift_proof, refund_packs
from vouchers.ageing import list_ages
from vouchers.models import Lot

Statement = tuple[str, Any]


@contextmanager
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Statement]]:
    """All statements that run meanwhile, on both roads to the database."""
    seen: list[Statement] = []
    run = hot.rows

    def remember(_connection, _cursor, statement, parameters, _context, _many):
        seen.append((statement, parameters))

    def remember_hot(sql, params):
        seen.append((sql, params))
        return run(sql, params)

    monkeypatch.setattr(hot, "rows", remember_hot)
    event.listen(db.engine, "before_cursor_execute", remember)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", remember)


def plans(seen: list[Statement]) -> str:
    """The plans of all SELECTs and UPDATEs among the statements."""
    told = []
    with hot.pool().connection() as connection:
        connection.execute("SET enable_seqscan = off")
        for sql, params in seen:
            if sql.lstrip().startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
                rows = connection.execute(f"EXPLAIN {sql}", params).fetchall()
                told += [row[0] for row in rows]
        connection.execute("RESET enable_seqscan")
    return "\n".join(told)


def next_number(world: Any) -> None:
    """Look for a number where the seller has none."""
    entity = db.session.scalars(select(LegalEntity.id).limit(1)).one()
    with suppress(OutOfNumbers):
        give_number(Invoice(legal_entity_id=entity, first_on=date(2026, 1, 1)), now=world.now)


def history_of_plan(world: Any) -> None:
    """Look for what happened to a subscription that is not there."""
    with suppress(NotFound):
        subs.list_history(member_id=world.alice, subscription_id=new_id(), before=None, limit=9)


def duty(job: str) -> Callable[[Any], bool]:
    """The look of one duty for due rows."""
    found = next(one for one in worker.DUTIES if one.job == job)
    return lambda now: is_due(found, now)


def left_behind(world: Any) -> object:
    """Tell who is on a version that is left behind."""
    from_id, to_id = (world.offers[code][1] for code in ("club", "eleven"))
    till = world.add_till("B")
    schedules = [
        PlanSchedule(
            offer_version_id=one, every_count=1, every_unit="month", grace_days=28, dunning_days=[]
        )
        for one in (from_id, to_id)
    ]
    leads = PlanMigration(
        id=new_id(),
        from_version_id=from_id,
        to_version_id=to_id,
        from_at=world.now + timedelta(days=40),
        proposed_by_id=till.staff_id,
        proposed_at=world.now,
        approved_by_id=world.till.staff_id,
        approved_at=world.now,
    )
    db.session.add_all(schedules)
    db.session.flush()
    db.session.add(leads)
    db.session.flush()
    return migration.announce_some(limit=9, now=world.now)


def reconciled(_world: Any) -> object:
    """A month beside the provider's balance."""
    return payments.reconcile(month_first_on=date(2026, 1, 1), next_on=date(2026, 2, 1))


def proved_gifts(world: Any) -> object:
    """A part of the proof of what is under way, with a gift in it."""
    vouchers.give(giver_id=world.alice, offer_id=world.offers["eleven"][0], cups=1, now=world.now)
    part = gift_proof.GIVEN_LOTS.next([str(NOBODY)])
    assert part is not None
    return list(gift_proof.under_way(part))


def packs(world: Any) -> object:
    """How the packs of a listed-price pack stand, wherever its cups are."""
    lots = db.session.scalars(select(Lot).where(Lot.member_id == world.alice)).all()
    return refund_packs.packs_of(lots, ending=())


def day_of(world: Any) -> object:
    """What a store did on a day."""
    return read_day(store_id=world.stores["A"], on=world.now.date())


def look_for_news(world: Any) -> object:
    """What a stream asks each second, whose road to the database numbers its parameters."""
    asked = news._IDS.replace("$1", "%(stores)s").replace("$2", "%(since)s")  # noqa: SLF001
    return hot.rows(asked, {"stores": [world.stores["A"]], "since": new_id()})


def count_plans(world: Any) -> None:
    """The statistics of the months that can still change."""
    db.session.add(PlanCount(reach="open", counted_at=world.now - timedelta(days=1)))
    db.session.flush()
    recount_open(now=world.now)


ACTS: dict[str, Callable[[Any], object]] = {
    "ix_lot_open": lambda world: world.take(world.till, world.alice),
    "ix_redemption_history": lambda world: world.take(world.till, world.alice),
    "ix_redemption_id": lambda _: find_by_id(new_id()),
    "ix_credential_member": lambda world: redemption.current_code(
        member_id=world.alice, now=world.now
    ),
    "ix_credential_holder": lambda world: list(shared_redemptions(world.alice)),
    "ix_line_report": lambda world: reports.journal(world.now.date(), world.now.date(), limit=9),
    "ix_entry_late": lambda world: reports.roll_forward(
        Month.of(world.now.date()), basis="occurred"
    ),
    "ix_lot_due": lambda world: duty("vouchers.jobs.expire_due")(world.now),
    "ix_lot_earning": lambda world: duty("vouchers.earning_jobs.earn_days")(world.now),
    "ix_period_grant": lambda world: duty("subs.grant_jobs.grant_again")(world.now),
    "ix_invoice_member": lambda world: invoicing.invoices_of_member(
        world.alice, after=None, limit=9
    ),
    "ix_invoice_period": lambda _: invoicing.list_invoices(
        Filter(first_on=date(2026, 1, 1)), after=None, limit=9
    ),
    "ix_invoice_store": lambda world: invoicing.list_invoices(
        Filter(store_id=world.stores["A"]), after=None, limit=9
    ),
    "ix_invoice_document_due": lambda world: db.session.scalars(due_documents(world.now)).all(),
    "ix_invoice_document_unsent": lambda world: invoicing.list_invoices(
        Filter(late_at=world.now), after=None, limit=9
    ),
    "ix_invoice_range_seller": next_number,
    "ix_lot_order_item": packs,
    "ix_refund_line_lot": packs,
    "ix_refund_payer": lambda world: vouchers.list_refunds(
        member_id=world.alice, status=None, before=None, limit=9
    ),
    "ix_refund_unpaid": lambda _: vouchers.list_refunds(
        member_id=None, status="failed", before=None, limit=9
    ),
    "ix_gift_due": lambda world: duty("vouchers.gift_jobs.end_due")(world.now),
    "ix_gift_item_lot": proved_gifts,
    "ix_gift_giver": lambda world: vouchers.list_gifts(member_id=world.alice, before=None, limit=9),
    "ix_gift_claimed": lambda world: vouchers.list_gifts(
        member_id=world.alice, before=None, limit=9
    ),
    "ix_outbox_undone": lambda world: duty("kernel.outbox.drain")(world.now),
    "ix_outbox_notice": lambda world: duty("kernel.outbox.send_notices")(world.now),
    "ix_provider_event_undone": lambda world: duty("payments.inbox.read_events")(world.now),
    "ix_payment_due": lambda world: duty("payments.sweep.ask_again")(world.now),
    "ix_payment_paid": reconciled,
    "ix_payment_member": lambda world: payments.list_payments_of(
        member_id=world.alice, after=None, limit=9
    ),
    "ix_payment_shift": lambda world: payments.shift_sums(world.till.shift_id),
    "ix_repayment_shift": lambda world: payments.shift_sums(world.till.shift_id),
    "ix_repayment_due": lambda world: duty("payments.repaying.repay_due")(world.now),
    "ix_repayment_payment": lambda _: payments.list_repayments(payment_id=new_id()),
    "ix_dispute_payment": lambda _: payments.list_disputes(payment_id=new_id()),
    "ix_payment_difference_found": lambda _: payments.list_differences(after=None, limit=9),
    "ix_balance_transaction_created_at": reconciled,
    "ix_balance_transaction_payment": reconciled,
    "ix_balance_transaction_payout": reconciled,
    "ix_payout_created_at": reconciled,
    "ix_payout_unkept": lambda _: db.session.scalars(settlements.unkept()).all(),
    "ix_plan_migration_untold": lambda world: duty("subs.plan_jobs.announce_migrations")(world.now),
    "ix_subscription_telling": lambda world: daily.tell_some(limit=9, now=world.now),
    "ix_subscription_version": left_behind,
    "ix_subscription_due": lambda world: duty("subs.jobs.renew_due")(world.now),
    "ix_voucher_order_unpaid": lambda world: duty("vouchers.jobs.end_unpaid")(world.now),
    "ix_sign_in_challenge_age": lambda world: duty("members.jobs.forget_challenges")(world.now),
    "ix_guess_failed_at": lambda world: duty("chain.jobs.forget_guesses")(world.now),
    "ix_period_ends": count_plans,
    "ix_subscription_event_at": count_plans,
    "ix_sign_in_challenge_phone": lambda world: members.challenge(
        phone="+886912345678", locale="en", now=world.now
    ),
    "ix_capsule_member": lambda world: redemption.revoke_everything(
        member_id=world.alice, now=world.now
    ),
    "ix_redemption_day": day_of,
    "ix_redemption_void_day": day_of,
    "ix_turned_away_day": day_of,
    "ix_offline_item_day": day_of,
    "ix_redemption_void_news": look_for_news,
    "ix_offline_item_wallet": lambda world: list(offline_items(world.alice)),
    "ix_offline_item_open": lambda world: offline.list_reviews(
        staff_id=world.till.staff_id,
        role="finance",
        store_id=world.till.store_id,
        reason=None,
        after=None,
        limit=9,
    ),
    "ix_capsule_revoked": lambda world: redemption.list_revoked(now=world.now),
    "ix_wallet_blocked": lambda world: redemption.list_revoked(now=world.now),
    "ix_member_session_live": lambda world: members.end_other_sessions(
        member_id=world.alice, session_id=new_id(), now=world.now
    ),
    "ix_sharer_member": lambda world: list(shared_plans(world.alice)),
    "ix_sharer_subscription": lambda world: sharing.let_go(
        {Subscription(id=new_id()): 0}, now=world.now
    ),
    "ix_subscription_member": lambda world: subs.list_standings(
        member_id=world.alice, before=None, limit=9
    ),
    "ix_subscription_event_history": history_of_plan,
    "ix_voucher_order_member": lambda world: vouchers.list_orders(
        member_id=world.alice, before=None, limit=9
    ),
}


@pytest.fixture
def busy(world):
    """Somebody with a pack and a limited plan, at a till."""
    world.till, world.alice = world.add_till("A"), world.add_member()
    world.add_offer("club", cups_per_day=5)
    world.add_lot(world.alice, "club", ends_at=world.now + timedelta(days=9))
    world.add_lot(world.alice, "eleven")
    return world


@pytest.mark.parametrize("index", ACTS)
def test_the_index_serves_its_statement(busy, engines, monkeypatch, index):
    if index.startswith("ix_sign_in_challenge"):
        want_codes(busy, engines)
    with statements(monkeypatch) as seen:
        if index.startswith(("ix_lot_open", "ix_redemption_history")):
            ACTS[index](busy)
        else:
            with transaction():
                ACTS[index](busy)
    assert index in plans(seen)


def want_codes(world: Any, engines: Engines) -> None:
    """Many phones want a code: either index of the challenges could serve a few rows."""
    with transaction():
        members.challenge(phone="+886912000000", locale="en", now=world.now)
    engines.superuser.execute(_MANY_CHALLENGES)
    engines.superuser.execute("ANALYZE sign_in_challenge")


_MANY_CHALLENGES = """
INSERT INTO sign_in_challenge
SELECT (jsonb_populate_record(
    one, jsonb_build_object('id', gen_random_uuid(), 'phone_index', sha256(n::text::bytea))
)).*
FROM sign_in_challenge AS one, generate_series(1, 200) AS n
"""


def open_up(month: Month) -> list[Any]:
    """What an export opens with."""
    return list(Reading.of(month).opening())


ACTS_TOO: dict[str, Callable[[Any], object]] = {
    "ix_lot_open": lambda world: list_ages(on=world.now.date()),
    "ix_line_report": lambda world: open_up(Month.of(world.now.date()).next()),
}


@pytest.mark.parametrize("index", ACTS_TOO)
def test_the_index_serves_this_statement_too(busy, monkeypatch, index):
    with statements(monkeypatch) as seen, transaction():
        ACTS_TOO[index](busy)
    assert index in plans(seen)


def test_every_index_is_looked_at_here():
    every = {
        index.name
        for table in Base.metadata.sorted_tables
        for index in table.indexes
        if not index.unique
    }
    assert every == set(ACTS)


@pytest.mark.parametrize("reads", [READS_ONE, READS_SEVERAL], ids=["one", "several"])
@pytest.mark.parametrize("way", READS_ONE)
def test_the_reading_goes_by_key_though_its_plan_was_made_on_empty_tables(world, way, reads):
    """One plan serves for ever, so it must not be one that only suits an empty table."""
    world.till, world.alice = world.add_till("A"), world.add_member()
    world.add_offer("club", cups_per_day=5)
    world.add_lot(world.alice, "club")
    with hot.pool().connection() as connection:
        types = ", ".join(_PARAMETERS.values())
        connection.execute(f"PREPARE reading ({types}) AS {_numbered(reads[way])}")
        nothing = ", ".join(["NULL"] * len(_PARAMETERS))
        rows = connection.execute(f"EXPLAIN EXECUTE reading({nothing})")
        plan = [row[0] for row in rows.fetchall()]
        connection.execute("DEALLOCATE reading")
    growing = (
        "redemption",
        "redemption_line",
        "lot",
        "wallet",
        "credential",
        "idempotency_key",
    )
    scans = [at for at, line in enumerate(plan) if any(f" on {name} " in line for name in growing)]
    assert len(scans) >= len(growing)
    for at in scans:
        assert "Cond" in plan[at + 1], plan[at]
    assert "hashed" not in "\n".join(plan)


_PARAMETERS = {
    "shift_digest": "bytea",
    "credential_id": "bytea",
    "step": "bigint",
    "product_id": "uuid",
    "product_ids": "uuid[]",
    "key": "text",
    "now": "timestamptz",
    "common_at": "timestamptz",
    "new_since": "timestamptz",
}


def _numbered(sql: str) -> str:
    """The statement with PostgreSQL's own parameters."""
    return sql % {name: f"${number}" for number, name in enumerate(_PARAMETERS, 1)}
