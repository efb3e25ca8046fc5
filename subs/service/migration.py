"""Everybody on an old version of a plan gets a newer one: proposed, agreed, announced.

Where nothing is proposed, whoever bought a version keeps it (grandfathering). Members are told at
least thirty days before, and may cancel; the engine moves a subscription with its first period from
the day that was announced (`subs.service.renewal`).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select, text
from sqlalchemy.orm import aliased

from kernel import queue
from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import NOBODY, new_id
from kernel.queue import Duty
from kernel.transaction import after_commit
from ledger.statement import filled
from subs.migration_errors import (
    MigrationDecided,
    MigrationExists,
    MigrationTooSoon,
    NotANewerVersion,
)
from subs.models import PlanMigration, PlanSchedule, Subscription
from subs.plan_notices import MIGRATES
from subs.service.new_terms import changes_in_words
from vouchers.models import OfferVersion
from vouchers.offer_errors import TwoPeople

NOTICE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Leading:
    """A migration, and the versions that it leads from and to."""

    migration: PlanMigration
    before: OfferVersion
    after: OfferVersion

    @property
    def state(self) -> str:
        """What became of it: proposed, rejected, approved, or announced to everybody."""
        if self.migration.rejected_at is not None:
            return "rejected"
        if self.migration.approved_at is None:
            return "proposed"
        return "approved" if self.migration.announced_at is None else "announced"


def propose(
    *,
    plan_id: UUID,
    from_version: int,
    to_version: int,
    from_at: datetime,
    by_id: UUID,
    now: datetime,
) -> Leading:
    """Propose that who is on one version of a plan goes on by a newer one. Nothing happens yet.

    Raises:
        NotFound: one of them is no approved version of such a plan.
        NotANewerVersion: it is not later than the other.
        MigrationTooSoon: members are to be told 30 days before.
        MigrationExists: where the old version leads is proposed, or agreed, already.
    """
    before, after = (_approved(plan_id, one) for one in (from_version, to_version))
    if before.version >= after.version:
        raise NotANewerVersion
    _refuse_too_soon(from_at, now)
    others = select(PlanMigration.id).where(
        PlanMigration.from_version_id == before.id, PlanMigration.rejected_at.is_(None)
    )
    if db.session.scalar(others) is not None:
        raise MigrationExists
    made = PlanMigration(
        id=new_id(),
        from_version_id=before.id,
        to_version_id=after.id,
        from_at=from_at,
        proposed_by_id=by_id,
        proposed_at=now,
    )
    db.session.add(made)
    db.session.flush()
    return Leading(made, before, after)


def approve(*, migration_id: UUID, by_id: UUID, now: datetime) -> Leading:
    """Agree to what somebody else has proposed; members are told as soon as this is committed.

    Raises:
        NotFound: there is no such migration.
        MigrationDecided: it was approved or rejected before.
        TwoPeople: it is one's own.
        MigrationTooSoon: it has waited so long that members would be told too late.
    """
    migration = _waiting(migration_id)
    if migration.proposed_by_id == by_id:
        raise TwoPeople
    _refuse_too_soon(migration.from_at, now)
    migration.approved_by_id, migration.approved_at = by_id, now
    db.session.flush()
    after_commit(lambda: queue.ring(DUTY))
    return _one(migration.id)


def reject(*, migration_id: UUID, by_id: UUID, now: datetime) -> Leading:
    """Turn a proposed migration down, or take one's own back: everybody keeps what they bought.

    Raises:
        NotFound: there is no such migration.
        MigrationDecided: it was approved or rejected before.
    """
    migration = _waiting(migration_id)
    migration.rejected_by_id, migration.rejected_at = by_id, now
    db.session.flush()
    return _one(migration.id)


def list_migrations(*, before: UUID | None, limit: int) -> list[Leading]:
    """Everything that was ever proposed, the latest first."""
    page = _LEADING.order_by(PlanMigration.id.desc()).limit(limit)
    if before is not None:
        page = page.where(PlanMigration.id < before)
    return [Leading(*row) for row in db.session.execute(page)]


def migrations_untold(now: datetime) -> Select[UUID]:
    """The migrations that are agreed, and that not all their members have been told of."""
    return select(PlanMigration.id).where(*_is_untold(now))


def _is_untold(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return PlanMigration.approved_at <= now, PlanMigration.announced_at.is_(None)


DUTY = Duty("subs.plan_jobs.announce_migrations", "nightly", migrations_untold)


def announce_some(*, limit: int, now: datetime) -> bool:
    """Tell the members of the next subscriptions of one migration; False when none is left.

    In the caller's transaction, in one statement for the set; what somebody else is at is left to
    them. A member is told once, however many plans they have, and whoever tells them.
    """
    migration = db.session.scalar(
        select(PlanMigration)
        .where(*_is_untold(now))
        .order_by(PlanMigration.approved_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if migration is None:
        return False
    told = _told(_one(migration.id), limit=limit, now=now)
    after = migration.told_to or NOBODY
    migration.told_to = db.session.scalar(_ANNOUNCE, {**told, "after": after})
    if migration.told_to is None:
        migration.announced_at = now
    db.session.flush()
    return True


def tell_newcomers(subscriptions: Sequence[Subscription], *, now: datetime) -> None:
    """Tell who begins with a version that is being left behind: their order was older than that.

    Before a migration is agreed there is nothing to tell, and then the duty tells.
    """
    begun = defaultdict(list)
    for one in subscriptions:
        begun[one.offer_version_id].append(one.id)
    leads = _LEADING.where(
        PlanMigration.from_version_id.in_(begun), PlanMigration.approved_at.is_not(None)
    )
    for row in db.session.execute(leads).all():
        leading = Leading(*row)
        told = _told(leading, limit=None, now=now)
        db.session.execute(_TELL_THESE, {**told, "ids": begun[leading.before.id]})


def _told(leading: Leading, *, limit: int | None, now: datetime) -> dict[str, Any]:
    before, after = leading.before, leading.after
    return {
        "migration_id": leading.migration.id,
        "notice": MIGRATES.name,
        "changes_zh": changes_in_words(before, after, "zh-TW"),
        "changes_en": changes_in_words(before, after, "en"),
        "limit": limit,
        "now": now,
    }


_TELL = """
    WITH leads AS (
        SELECT plan_migration.id, from_version_id, from_at, older.name
        FROM plan_migration
        JOIN offer_version older ON older.id = from_version_id
        WHERE plan_migration.id = :migration_id
    ), theirs AS (
        SELECT id, member_id, time_zone
        FROM subscription
        WHERE offer_version_id = (SELECT from_version_id FROM leads)
          AND ended_at IS NULL AND {which}
        ORDER BY id LIMIT :limit
    ), told AS (
        INSERT INTO outbox
            (member_id, id, topic, facts, created_at, due_at, is_notice, is_open, tries)
        SELECT DISTINCT ON (member_id)
               member_id, md5(concat_ws('|', CAST(:notice AS text), leads.id, member_id))::uuid,
               'member.notice',
               jsonb_build_object(
                   'to', member_id,
                   'notice', CAST(:notice AS text),
                   'facts', jsonb_build_object(
                       'plan', name,
                       'from_on', (from_at AT TIME ZONE time_zone)::date,
                       'changes_zh', CAST(:changes_zh AS text),
                       'changes_en', CAST(:changes_en AS text),
                       'subscription_id', theirs.id)),
               :now, :now, true, true, 0
        FROM theirs, leads
        ORDER BY member_id, theirs.id
        ON CONFLICT (member_id, id) DO NOTHING
    )
    SELECT id FROM theirs ORDER BY id DESC LIMIT 1
"""
_ANNOUNCE = text(filled(_TELL, which="id > CAST(:after AS uuid)"))
_TELL_THESE = text(filled(_TELL, which="id = ANY(CAST(:ids AS uuid[]))"))


_Before, _After = aliased(OfferVersion), aliased(OfferVersion)
_LEADING = (
    select(PlanMigration, _Before, _After)
    .join(_Before, _Before.id == PlanMigration.from_version_id)
    .join(_After, _After.id == PlanMigration.to_version_id)
)


def _one(migration_id: UUID) -> Leading:
    row = db.session.execute(_LEADING.where(PlanMigration.id == migration_id)).one()
    return Leading(*row)


def _approved(plan_id: UUID, number: int) -> OfferVersion:
    found = db.session.scalar(
        select(OfferVersion)
        .join(PlanSchedule, PlanSchedule.offer_version_id == OfferVersion.id)
        .where(
            OfferVersion.offer_id == plan_id,
            OfferVersion.version == number,
            OfferVersion.approved_at.is_not(None),
        )
    )
    if found is None:
        raise NotFound
    return found


def _refuse_too_soon(from_at: datetime, now: datetime) -> None:
    if from_at < now + NOTICE:
        raise MigrationTooSoon(days=NOTICE.days)


def _waiting(migration_id: UUID) -> PlanMigration:
    migration = db.session.get(
        PlanMigration, migration_id, with_for_update=True, populate_existing=True
    )
    if migration is None:
        raise NotFound
    if migration.approved_at is not None or migration.rejected_at is not None:
        raise MigrationDecided
    return migration
