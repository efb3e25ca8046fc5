"""How a plan is shown: an offer, with its schedule."""

from typing import Any

from marshmallow import fields, validate

from api.fields import Integer, MoneyField, Text
from api.offer_versions import VersionView
from api.offers import OfferView, SpanView
from api.plan_terms import CANCEL_REFUND, CARRY_OVER


class EveryField(fields.Nested):
    """How often something is, which a schedule keeps in two columns; null where it is not kept."""

    def __init__(self, name: str, *, about: str) -> None:
        super().__init__(
            SpanView,
            dump_only=True,
            required=True,
            allow_none=True,
            attribute="schedule",
            metadata={"description": about},
        )
        self.column = name

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:  # type: ignore[override]  # as Field names it
        count, unit = (getattr(value, f"{self.column}_{part}", None) for part in ("count", "unit"))
        span = None if count is None else {"count": count, "unit": unit}
        return super()._serialize(span, attr, obj, **kwargs)  # type: ignore[no-untyped-call]


def _whole(name: str, about: str) -> Integer:
    return Integer(
        required=True,
        allow_none=True,
        dump_default=None,
        attribute=f"schedule.{name}",
        metadata={"description": f"{about} Null where no schedule is set."},
    )


def _flag(name: str, about: str) -> fields.Boolean:
    return fields.Boolean(
        required=True,
        allow_none=True,
        dump_default=None,
        attribute=f"schedule.{name}",
        metadata={"description": f"{about} Null where no schedule is set."},
    )


class PlanView(OfferView):
    """A plan at the terms of today: price and cups are those of each period."""

    terms = fields.List(
        Text(),
        required=True,
        metadata={"description": "The terms in sentences, in the language that was asked for."},
    )
    is_unlimited = fields.Boolean(
        required=True,
        attribute="version.is_unlimited",
        metadata={"description": "As many cups as they like; then `cups` is 0."},
    )
    first_price = MoneyField(
        required=True,
        allow_none=True,
        attribute="version.first_price",
        currency="version.currency",
        metadata={
            "description": "What is asked for at the sale, once for each member: nothing with a"
            " trial, or the introductory price; null: the price."
        },
    )
    every = EveryField("every", about="How often it renews; null as long as that is not set.")
    grace_days = _whole("grace_days", "Until when an unpaid period is tried.")
    benefits_in_grace = _flag("benefits_in_grace", "Whether the last period stays good meanwhile.")
    back_dates = _flag("back_dates", "Whether a period that is paid late keeps its dates.")
    trial_days = _whole("trial_days", "The days of its trial; null without one.")
    trial_cups = _whole("trial_cups", "Cups of the trial.")
    trial_needs_card = _flag("trial_needs_card", "Whether a trial is only for who leaves a card.")
    intro_price = MoneyField(
        required=True,
        allow_none=True,
        dump_default=None,
        attribute="schedule.intro_price",
        currency="version.currency",
        metadata={"description": "What each of the first periods costs; null: the price."},
    )
    intro_periods = _whole("intro_periods", "How many of them.")
    carry_over = Text(
        required=True,
        allow_none=True,
        dump_default=None,
        attribute="schedule.carry_over",
        validate=validate.OneOf(CARRY_OVER),
        metadata={"description": "Of unused cups, into the next period."},
    )
    carry_over_cap = _whole("carry_over_cap", "How many, where it is capped.")
    grant_every = EveryField("grant", about="How often cups are granted in a period; null: once.")
    sharers = _whole("sharers", "How many other members may collect from it.")
    most_pause_days = _whole("most_pause_days", "For how long it may be paused at a time.")
    cancel_refund = Text(
        required=True,
        allow_none=True,
        dump_default=None,
        attribute="schedule.cancel_refund",
        validate=validate.OneOf(CANCEL_REFUND),
        metadata={"description": "What comes back to who cancels at once."},
    )


class PlanVersionView(VersionView, PlanView):
    """A plan at one version of its terms, as the office sees it."""

    dunning_days = fields.List(
        Integer(),
        required=True,
        allow_none=True,
        dump_default=None,
        attribute="schedule.dunning_days",
        metadata={"description": "The waits between attempts to be paid."},
    )
