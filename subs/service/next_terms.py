"""A subscription goes on: on its own terms, those that its member chose, or a migration's."""

from datetime import datetime
from typing import Any

from subs import policy
from subs.models import Subscription
from subs.service import history
from subs.service.coming_terms import ComingTerms
from subs.service.consequences import Consequences
from subs.service.rows import Plan


class NextTerms(ComingTerms):
    """The terms of the periods that follow, to be turned to."""

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


def _every(plan: Plan) -> policy.Every:
    return policy.Every(plan.schedule.every_count, plan.schedule.every_unit)
