"""Plans are made: the terms of an offer and a schedule are one thing, which two people agree on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Final
from uuid import UUID

from kernel.db import db
from subs.errors import ScheduleUnsound
from subs.models import PlanSchedule
from subs.policy import Every
from subs.service.rows import Plan
from vouchers.models import OfferVersion
from vouchers.offer_terms import OfferTerms
from vouchers.service import offer

_DAY_ONE: Final = date(2001, 1, 1)  # of a long month: no month is longer than this one

MOST_EVERY: Final[Mapping[str, int]] = {"day": 1_095, "week": 156, "month": 36, "year": 3}
"""The longest period: three years. What is paid for further ahead is no plan but a debt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What a plan's terms say beside those of an offer; `PlanSchedule` tells what each means."""

    every_count: int
    every_unit: str
    grace_days: int = 28
    dunning_days: list[int] = field(default_factory=lambda: [2, 5, 7, 7])
    benefits_in_grace: bool = False
    back_dates: bool = True
    trial_days: int | None = None
    trial_cups: int = 0
    trial_needs_card: bool = True
    intro_price: int | None = None
    intro_periods: int | None = None
    carry_over: str = "none"
    carry_over_cap: int | None = None
    grant_count: int | None = None
    grant_unit: str | None = None
    sharers: int = 0
    most_pause_days: int = 0
    cancel_refund: str = "none"

    @property
    def first_price(self) -> int | None:
        """What is asked for at the sale, where that is not the price: a trial costs nothing."""
        return 0 if self.trial_days is not None else self.intro_price

    @property
    def needs_card(self) -> bool:
        """Whether a card must be left though nothing is paid at the sale."""
        return self.trial_days is not None and self.trial_needs_card


def propose_plan(
    *,
    code: str,
    terms: OfferTerms,
    schedule: Schedule,
    legal_entity_id: UUID | None = None,
    by_id: UUID,
    now: datetime,
) -> OfferVersion:
    """Propose a new plan. Nothing is on sale before somebody else approves it.

    Raises:
        ScheduleUnsound: terms and schedule contradict one another.
        Refusal: what `vouchers.service.offer.propose_offer` refuses.
    """
    made = offer.propose_offer(
        code=code,
        kind="plan",
        terms=_sold(terms, schedule),
        legal_entity_id=legal_entity_id,
        by_id=by_id,
        now=now,
    )
    return _keep(made, schedule)


def propose_plan_version(
    *,
    offer_id: UUID,
    terms: OfferTerms,
    schedule: Schedule,
    legal_entity_id: UUID | None = None,
    by_id: UUID,
    now: datetime,
) -> OfferVersion:
    """Propose further terms of a plan: all of them. Who bought an older version keeps that one.

    Raises:
        ScheduleUnsound: terms and schedule contradict one another.
        Refusal: what `vouchers.service.offer.propose_version` refuses.
    """
    made = offer.propose_version(
        offer_id=offer_id,
        kind="plan",
        terms=_sold(terms, schedule),
        legal_entity_id=legal_entity_id,
        by_id=by_id,
        now=now,
    )
    return _keep(made, schedule)


def price_of_period(plan: Plan, *, number: int, is_introduced: bool) -> int:
    """What the period with this number costs, VAT included: number 0 is a trial, and free.

    The first `intro_periods` cost `intro_price` each, of a subscription that was introduced.
    """
    if number == 0:
        return 0
    schedule = plan.schedule
    if is_introduced and schedule.intro_price is not None and schedule.intro_periods is not None:
        return schedule.intro_price if number <= schedule.intro_periods else plan.version.price
    return plan.version.price


def contradictions(terms: OfferTerms, schedule: Schedule) -> dict[str, str]:
    """What does not go together, by the term that would have to change. Pure."""
    is_free, is_counted = terms.price == 0, terms.cups > 0
    is_capped = schedule.carry_over == "capped"
    found = (
        ("cups", terms.is_unlimited and is_counted, "Are not counted where they are unlimited."),
        ("trial_days", is_free and schedule.trial_days is not None, "Go with a price."),
        ("trial_cups", schedule.trial_days is None and schedule.trial_cups > 0, "Go with a trial."),
        ("trial_cups", terms.is_unlimited and schedule.trial_cups > 0,
         "Are not counted where they are unlimited."),
        ("intro_price", schedule.intro_price is not None and schedule.intro_price >= terms.price,
         "Is below the price."),
        ("intro_periods", (schedule.intro_price is None) != (schedule.intro_periods is None),
         "Go with intro_price."),
        ("carry_over", not is_counted and schedule.carry_over != "none", "Goes with counted cups."),
        ("carry_over_cap", is_capped != (schedule.carry_over_cap is not None),
         "Goes with carry_over: capped."),
        ("every", schedule.every_count > MOST_EVERY[schedule.every_unit],
         "Is at most three years."),
        ("grant_every", schedule.grant_count is not None and not (is_free and is_counted),
         "Goes with counted cups of a plan that costs nothing."),
        ("grant_every", _outlasts_period(schedule), "Is shorter than every."),
        ("refund_basis", not is_counted and terms.refund_basis == "list_price",
         "By list_price is for counted cups."),
        ("cancel_refund", is_free and schedule.cancel_refund != "none", "Goes with a price."),
        ("sale_channels", schedule.needs_card and "counter" in terms.sale_channels,
         "Nobody can leave a card at the counter: sell it elsewhere, or let the trial need none."),
    )  # fmt: skip
    return {term: why for term, is_wrong, why in reversed(found) if is_wrong}


def _outlasts_period(schedule: Schedule) -> bool:
    """Whether the second of the grants within a period would come at its end, or later."""
    count, unit = schedule.grant_count, schedule.grant_unit
    if count is None or unit is None:
        return False
    grant = Every(count, unit)
    every = Every(schedule.every_count, schedule.every_unit)
    return grant.after(_DAY_ONE, 1) >= every.after(_DAY_ONE, 1)


def _sold(terms: OfferTerms, schedule: Schedule) -> OfferTerms:
    """The terms of the offer, with what the schedule says about its sale."""
    wrong = contradictions(terms, schedule)
    if wrong:
        raise ScheduleUnsound(terms=wrong)
    return replace(terms, first_price=schedule.first_price, needs_card=schedule.needs_card)


def _keep(version: OfferVersion, schedule: Schedule) -> OfferVersion:
    db.session.add(PlanSchedule(offer_version_id=version.id, **asdict(schedule)))
    db.session.flush()
    return version
