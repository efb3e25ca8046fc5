"""On which terms a subscription goes on: its own, those its member chose, or a migration's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from kernel.db import db
from subs import policy
from subs.models import Period, PlanMigration, Subscription
from subs.service import history
from subs.service.consequences import Consequences
from subs.service.rows import Plan, plans_of
from subs.service.terms import price_of_period


@dataclass(frozen=True, slots=True)
class Migration:
    """Where everybody on a version goes, with the first period from `from_at`."""

    to_version_id: UUID
    from_at: datetime


class NextTerms:
    """The terms of the periods that follow, looked up for a set of subscriptions."""

    def __init__(self, found: Sequence[Subscription]) -> None:
        self._migrations = _migrations({one.offer_version_id for one in found})
        chosen = {one.next_version_id for one in found if one.next_version_id is not None}
        to = {migration.to_version_id for migration in self._migrations.values()}
        self._plans: Mapping[UUID, Plan] = plans_of(
            {one.offer_version_id for one in found} | chosen | to
        )

    def of(self, subscription: Subscription, *, starts_at: datetime) -> Plan:
        """The terms of the period that begins then."""
        version_id, _ = self._next(subscription, starts_at)
        return self._plans[version_id]

    def turn(
        self, found: Consequences, subscription: Subscription, *, starts_at: datetime, number: int,
        now: datetime,
    ) -> None:  # fmt: skip
        """Change a subscription to the terms of its next period, which has this number.

        What its member chose comes before a migration. Where the interval is another one, the
        calendar begins anew with that period.
        """
        version_id, cause = self._next(subscription, starts_at)
        if cause is None:
            return
        before, plan = self._plans[subscription.offer_version_id], self._plans[version_id]
        facts: dict[str, Any] = {"from": str(before.version.id), "to": str(version_id)}
        subscription.offer_version_id, subscription.next_version_id = version_id, None
        if _every(plan) != _every(before):
            subscription.anchor_at, subscription.anchor_number = starts_at, number
        found.places[subscription] = plan.schedule.sharers
        found.events.append(history.remarked(subscription, cause, at=now, number=number, **facts))

    def _next(self, subscription: Subscription, starts_at: datetime) -> tuple[UUID, str | None]:
        if subscription.next_version_id is not None:
            return subscription.next_version_id, "changed"
        migration = self._migrations.get(subscription.offer_version_id)
        if migration is not None and migration.from_at <= starts_at:
            return migration.to_version_id, "migrated"
        return subscription.offer_version_id, None


def price_after(last: Period, plan: Plan) -> int:
    """What the period after `last` costs. Who has had no introduction begins none later."""
    is_same = last.offer_version_id == plan.version.id
    is_introduced = last.number == 0 or (is_same and last.price == plan.schedule.intro_price)
    return price_of_period(plan, number=last.number + 1, is_introduced=is_introduced)


def _every(plan: Plan) -> policy.Every:
    return policy.Every(plan.schedule.every_count, plan.schedule.every_unit)


def _migrations(version_ids: set[UUID]) -> dict[UUID, Migration]:
    """Those of some versions that are agreed on and told to everybody."""
    rows = db.session.execute(
        select(
            PlanMigration.from_version_id, PlanMigration.to_version_id, PlanMigration.from_at
        ).where(
            PlanMigration.from_version_id.in_(version_ids), PlanMigration.announced_at.is_not(None)
        )
    )
    return {of: Migration(to, from_at) for of, to, from_at in rows}
