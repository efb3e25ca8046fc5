"""On which terms a subscription goes on, and what its next period costs: looked up, not decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from kernel.db import db
from subs.models import Period, PlanMigration, Subscription
from subs.service.rows import Plan, plans_of
from subs.service.terms import price_of_period


@dataclass(frozen=True, slots=True)
class Migration:
    """Where everybody on a version goes, with the first period from `from_at`."""

    to_version_id: UUID
    from_at: datetime


class ComingTerms:
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

    def price_after(self, subscription: Subscription, last: Period, *, starts_at: datetime) -> int:
        """What the period after `last` costs. Who has had no introduction begins none later.

        Nor does who goes from the trial of one plan to another: a change is at the price.
        """
        plan = self.of(subscription, starts_at=starts_at)
        present = self._plans[subscription.offer_version_id]
        is_tried = last.number == 0 and plan.version.offer_id == present.version.offer_id
        is_same = last.offer_version_id == plan.version.id
        is_introduced = is_tried or (is_same and last.price == plan.schedule.intro_price)
        return price_of_period(plan, number=last.number + 1, is_introduced=is_introduced)

    def _next(self, subscription: Subscription, starts_at: datetime) -> tuple[UUID, str | None]:
        if subscription.next_version_id is not None:
            return subscription.next_version_id, "changed"
        migration = self._migrations.get(subscription.offer_version_id)
        if migration is not None and migration.from_at <= starts_at:
            return migration.to_version_id, "migrated"
        return subscription.offer_version_id, None


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
