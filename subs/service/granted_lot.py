"""The lot that one grant of a period puts into the wallet."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chain.models import Store
from kernel.ids import new_id
from ledger.policy import PLANS
from subs import benefit_policy
from subs.benefit_policy import Terms
from subs.models import Period, PlanSchedule, Subscription
from subs.policy import Every, Span
from subs.service.rows import Plan
from vouchers import earning_policy, expiry_policy
from vouchers.models import Lot, OfferVersion


@dataclass(frozen=True, slots=True)
class Granting:
    """A paid period as it is being granted: what it carries, who paid for it, and where."""

    subscription: Subscription
    period: Period
    plan: Plan
    paid_at: datetime
    store: Store
    net: int
    vat: int
    buyer_id: UUID
    order_item_id: UUID | None

    @property
    def terms(self) -> Terms:
        return terms_of(self.plan.version, self.plan.schedule)

    @property
    def span(self) -> Span:
        """When its benefits are good."""
        dates = Span(self.period.starts_at, self.period.ends_at)
        return benefit_policy.span_of(dates, paid_at=self.paid_at)


def terms_of(version: OfferVersion, schedule: PlanSchedule) -> Terms:
    """Of a plan's terms, those that say what its periods give."""
    grants = None
    if schedule.grant_count is not None and schedule.grant_unit is not None:
        grants = Every(schedule.grant_count, schedule.grant_unit)
    return Terms(
        cups=version.cups,
        is_unlimited=version.is_unlimited,
        trial_cups=schedule.trial_cups,
        carry_over=schedule.carry_over,
        carry_over_cap=schedule.carry_over_cap,
        grace_days=schedule.grace_days,
        benefits_in_grace=schedule.benefits_in_grace,
        grants=grants,
    )


def lot_of(
    granting: Granting,
    *,
    ordinal: int = 1,
    granted_at: datetime | None = None,
    frozen_at: datetime | None,
) -> Lot | None:
    """The lot of a period's first or a later grant; None: it gives nothing, as some trials do.

    It is of the sale's moment, or of the one at which it was `granted_at` again.
    """
    cups = benefit_policy.cups_in(granting.terms, number=granting.period.number)
    if cups is None:
        lot = _by_day(granting)
    elif cups == 0:
        return None
    else:
        lot = _counted(granting, cups, ordinal, granted_at or granting.paid_at)
    lot.frozen_at = frozen_at
    return lot


def next_grant_at(granting: Granting, *, ordinal: int = 1) -> datetime | None:
    """When the period is granted again, after its grant with this number; None: no more."""
    grants = granting.terms.grants
    if grants is None or granting.period.number == 0:
        return None
    zone = granting.subscription.time_zone
    return benefit_policy.grant_time(
        granting.span, time_zone=zone, grants=grants, ordinal=ordinal + 1
    )


def _counted(granting: Granting, cups: int, ordinal: int, sold_at: datetime) -> Lot:
    """Cups carry their period's money and VAT; what is granted again is free."""
    lot = _bare(granting, ordinal, sold_at)
    time_zone = granting.store.time_zone
    ends_at = benefit_policy.good_until(
        granting.terms,
        granting.span,
        next_grant_at=next_grant_at(granting, ordinal=ordinal),
    )
    lot.units, lot.ends_at = cups, ends_at
    lot.due_at = (
        ends_at  # nobody is told an end that the next period may put off
        if granting.terms.outlasts
        else expiry_policy.first_due_at(sold_at=lot.sold_at, ends_at=ends_at, time_zone=time_zone)
    )
    return lot


def _by_day(granting: Granting) -> Lot:
    lot = _bare(granting, 1, granting.paid_at)
    span, time_zone = granting.span, granting.store.time_zone
    days = earning_policy.days_of(
        starts_at=span.starts_at, ends_at=span.ends_at, time_zone=time_zone
    )
    ends_at = benefit_policy.good_until(granting.terms, span, next_grant_at=None)
    lot.units, lot.ends_at = 0, ends_at
    lot.earns_from_on, lot.earns_days = days.from_on, days.count
    lot.due_at = earning_policy.first_due_at(
        days,
        sold_at=lot.sold_at,
        ends_at=ends_at,
        time_zone=time_zone,
        is_free=not lot.net and not lot.vat,
    )
    return lot


def _bare(granting: Granting, ordinal: int, sold_at: datetime) -> Lot:
    version = granting.plan.version
    is_first = ordinal == 1
    return Lot(
        member_id=granting.subscription.member_id,
        id=new_id(),
        offer_version_id=version.id,
        offer_id=version.offer_id,
        store_id=granting.store.id,
        source="period",
        source_id=granting.period.id,
        ordinal=ordinal,
        buyer_id=granting.buyer_id,
        order_item_id=granting.order_item_id,
        subscription_id=granting.subscription.id,
        account=PLANS,
        currency=version.currency,
        net=granting.net if is_first else 0,
        vat=granting.vat if is_first else 0,
        sold_at=sold_at,
        expiry_mode="lapse",
    )
