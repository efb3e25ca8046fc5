"""The plans that are on sale, with their schedule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from marshmallow import fields, validate
from sqlalchemy import select

from api.auth import anyone
from api.fields import Integer, Schema, Text
from api.offers import OfferView, position, read_offers
from api.paging import Page, Position, page_of, paged
from api.routing import Resource
from kernel.db import db
from subs.models import PlanSchedule
from vouchers import Offered
from vouchers.models import Offer, OfferVersion

plans = Resource("plans", "/v1/plans", "Plans: cups on a schedule, renewed until cancelled.")


class EveryView(Schema):
    """How often a plan renews."""

    count = Integer(
        required=True, attribute="every_count", metadata={"description": "So many units."}
    )
    unit = Text(
        required=True,
        attribute="every_unit",
        validate=validate.OneOf(("day", "week", "month", "year")),
        metadata={"description": "Of the calendar."},
    )


class PlanView(OfferView):
    """A plan at the terms of today: price and cups are those of each period."""

    every = fields.Nested(
        EveryView,
        required=True,
        allow_none=True,
        attribute="schedule",
        metadata={"description": "How often it renews; null as long as that is not set."},
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    """A plan with its schedule, if it has been given one."""

    offered: Offered
    schedule: PlanSchedule | None

    @property
    def offer(self) -> Offer:
        return self.offered.offer

    @property
    def version(self) -> OfferVersion:
        return self.offered.version

    @property
    def product_ids(self) -> Sequence[UUID]:
        return self.offered.product_ids

    @property
    def store_ids(self) -> Sequence[UUID]:
        return self.offered.store_ids


@plans.get("", guard=anyone, query=Page, answer=paged(PlanView))
def list_plans(*, query: dict[str, Any]) -> dict[str, Any]:
    """List the plans that are on sale now."""
    return page_of(_read, query=query, position=position)


def _read(limit: int, after: Position | None) -> Sequence[_Plan]:
    offered = read_offers("plan", limit, after)
    schedules = _schedules([one.version.id for one in offered])
    return [_Plan(one, schedules.get(one.version.id)) for one in offered]


def _schedules(version_ids: Sequence[UUID]) -> Mapping[UUID, PlanSchedule]:
    theirs = select(PlanSchedule).where(PlanSchedule.offer_version_id.in_(version_ids))
    return {schedule.offer_version_id: schedule for schedule in db.session.scalars(theirs)}
