"""The terms of a plan as an admin proposes them: those of an offer, and its schedule."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validate

from api.fields import Flag, Integer, Schema, Text
from api.money import MOST as MOST_MONEY
from api.offer_terms import OfferTermsBody, choice, perhaps, read_terms
from subs.service.terms import Schedule, contradictions
from vouchers.offer_terms import SPANS, OfferTerms
from vouchers.policy import MOST

CARRY_OVER = ("none", "capped", "all")
CANCEL_REFUND = ("none", "prorated")

_MOST_DAYS = 366
_MOST_ATTEMPTS = 12


class EveryBody(Schema):
    """So often, by the calendar."""

    EXAMPLE: ClassVar = {"count": 1, "unit": "month"}

    count = Integer(required=True, least=1, most=1_000, metadata={"description": "So many units."})
    unit = Text(
        required=True, validate=validate.OneOf(SPANS), metadata={"description": "Of the calendar."}
    )


def _days(usual: int, about: str, *, most: int = _MOST_DAYS) -> Integer:
    return Integer(load_default=usual, least=0, most=most, metadata={"description": about})


class PlanTermsBody(OfferTermsBody):
    """All terms of a version of a plan. What is not said is as usual."""

    EXAMPLE: ClassVar = {"covers_up_to": 60}
    FIXED: ClassVar = {
        "vat_timing": "sale",
        "bonus_cups": 0,
        "bonus_expires_after": None,
        "bonus_use_bp": None,
        "expiry_mode": "lapse",
        "expires_after": None,
    }

    price = Integer(
        required=True,
        least=0,
        most=MOST,
        metadata={
            "description": "Of each period, in minor units, VAT included; 0: it costs nothing.",
            "example": 499,
        },
    )
    cups = Integer(
        load_default=0,
        least=0,
        most=1_000,
        metadata={"description": "In each period; 0: a membership.", "example": 10},
    )
    is_unlimited = Flag(
        load_default=False,
        metadata={"description": "As many cups as they like, within a day and an interval."},
    )
    every = fields.Nested(
        EveryBody, required=True, metadata={"description": "How often it renews."}
    )
    grace_days = _days(28, "Until when an unpaid period is tried, before the plan lapses.")
    dunning_days = fields.List(
        Integer(least=1, most=60),
        load_default=lambda: [2, 5, 7, 7],
        validate=validate.Length(0, _MOST_ATTEMPTS),
        metadata={"description": "The waits between attempts to be paid."},
    )
    benefits_in_grace = Flag(
        load_default=False,
        metadata={"description": "Whether the last paid period stays good meanwhile."},
    )
    back_dates = Flag(
        load_default=True,
        metadata={
            "description": "Whether a period that is paid late keeps its dates; else it begins when"
            " it is paid."
        },
    )
    trial_days = perhaps("A trial of so many days comes first, free.", most=_MOST_DAYS)
    trial_cups = Integer(
        load_default=0,
        least=0,
        most=1_000,
        metadata={"description": "Cups of the trial, where they are counted."},
    )
    trial_needs_card = Flag(
        load_default=True,
        metadata={"description": "Whether a trial is only for who leaves a card."},
    )
    intro_price = Integer(
        load_default=None,
        allow_none=True,
        least=0,
        most=MOST_MONEY,
        metadata={"description": "What each of the first periods costs, in minor units."},
    )
    intro_periods = perhaps("How many of them.", most=120)
    carry_over = choice(CARRY_OVER, usual="none", about="Of unused cups, into the next period.")
    carry_over_cap = perhaps("How many, where it is capped.")
    grant_every = fields.Nested(
        EveryBody,
        load_default=None,
        allow_none=True,
        metadata={
            "description": "How often cups are granted within a period of what costs nothing;"
            " null: once."
        },
    )
    sharers = _days(0, "How many other members may collect from it.", most=20)
    most_pause_days = _days(0, "For how long it may be paused at a time; 0: not at all.")
    cancel_refund = choice(
        CANCEL_REFUND, usual="none", about="What comes back to who cancels at once."
    )


def read_plan(body: Mapping[str, Any], *, now: datetime) -> tuple[OfferTerms, Schedule]:
    """Make terms and a schedule of a body.

    Raises:
        ValidationError: something that it names is not there, or its terms contradict one another.
    """
    terms = read_terms(body, fixed=PlanTermsBody.FIXED, needs_end=False, now=now)
    every, grant = body["every"], body["grant_every"] or {"count": None, "unit": None}
    schedule = Schedule(
        every_count=every["count"],
        every_unit=every["unit"],
        grant_count=grant["count"],
        grant_unit=grant["unit"],
        **{name: body[name] for name in _SAME},
    )
    wrong = contradictions(terms, schedule)
    if wrong:
        raise ValidationError({term: [why] for term, why in wrong.items()})
    return terms, schedule


_SAME = (
    *("grace_days", "dunning_days", "benefits_in_grace", "back_dates", "trial_days"),
    *("trial_cups", "trial_needs_card", "intro_price", "intro_periods", "carry_over"),
    *("carry_over_cap", "sharers", "most_pause_days", "cancel_refund"),
)
