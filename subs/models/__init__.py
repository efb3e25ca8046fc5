"""The tables of the room."""

from subs.models.change import PlanChange, PlanMigration
from subs.models.plan import PlanSchedule
from subs.models.sharing import Sharer
from subs.models.subscription import Period, Subscription, SubscriptionEvent
from subs.statistics.models import (
    PlanCohort,
    PlanCount,
    PlanDunning,
    PlanEnding,
    PlanRenewal,
    PlanReport,
    PlanRevenue,
    PlanTrial,
)

__all__ = [
    "Period",
    "PlanChange",
    "PlanCohort",
    "PlanCount",
    "PlanDunning",
    "PlanEnding",
    "PlanMigration",
    "PlanRenewal",
    "PlanReport",
    "PlanRevenue",
    "PlanSchedule",
    "PlanTrial",
    "Sharer",
    "Subscription",
    "SubscriptionEvent",
]
