"""Plans: what is on sale, and how it comes to be: proposed by one person, approved by another."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID

from marshmallow import ValidationError

import vouchers
from api.auth import OfficeCaller, anyone, office
from api.language import language
from api.offer_versions import EndSaleBody, code_field, number_of
from api.offers import position, read_offers
from api.paging import Page, Position, page_of, paged
from api.plan_terms import PlanTermsBody, read_plan
from api.plan_views import PlanVersionView, PlanView
from api.routing import Resource
from kernel import clock
from kernel.errors import NotFound
from kernel.wording import Language
from subs.models import PlanSchedule
from subs.service import terms
from subs.service.rows import Plan, plans_of
from subs.terms_wording import beginning_in_words, schedule_in_words
from vouchers import Offered
from vouchers.models import OfferVersion
from vouchers.offer_errors import (
    OfferCurrency,
    OfferExists,
    SaleEndsEarlier,
    TwoPeople,
    Unlawful,
    VersionDecided,
    VersionNotApproved,
    VersionOutdated,
)
from vouchers.offer_queries import get_offer, get_version, list_versions, state_of
from vouchers.service import offer as making

plans = Resource("plans", "/v1/plans", "Plans: cups on a schedule, renewed until cancelled.")

_KIND: Final = "plan"
_ADMIN = office("admin")
_OFFICE = office("finance", "admin")


class PlanBody(PlanTermsBody):
    """A plan that is new, with its first terms."""

    code = code_field("ten-a-month")


@plans.get("", guard=anyone, query=Page, answer=paged(PlanView))
def list_plans(*, query: dict[str, Any]) -> dict[str, Any]:
    """List the plans that are on sale now."""
    page = page_of(partial(read_offers, _KIND), query=query, position=position)
    return {**page, "items": _told(page["items"])}


@plans.get("/<uuid:plan_id>", guard=anyone, answer=PlanView, refusals=(NotFound,))
def get_plan(*, plan_id: UUID) -> dict[str, Any]:
    """Read a plan at the terms at which it is sold now."""
    return _told([get_offer(offer_id=plan_id, kind=_KIND, now=clock.now())])[0]


@plans.post(
    "",
    guard=_ADMIN,
    body=PlanBody,
    answer=PlanVersionView,
    status=201,
    idempotency="answer",
    refusals=(OfferExists, Unlawful),
)
def propose_plan(*, caller: OfficeCaller, body: dict[str, Any]) -> dict[str, Any]:
    """Propose a new plan. It is on sale when somebody else approves it.

    Whatever the seller's law does not allow is refused here, all of it at once.
    """
    now = clock.now()
    offered, schedule = read_plan(body, now=now)
    made = terms.propose_plan(
        code=body["code"],
        terms=offered,
        schedule=schedule,
        legal_entity_id=body["legal_entity_id"],
        by_id=caller.staff_id,
        now=now,
    )
    return _one(made)


@plans.get(
    "/<uuid:plan_id>/versions",
    guard=_OFFICE,
    query=Page,
    answer=paged(PlanVersionView),
    refusals=(NotFound,),
)
def list_plan_versions(
    *, caller: OfficeCaller, plan_id: UUID, query: dict[str, Any]
) -> dict[str, Any]:
    """List everything that was ever proposed for a plan, the latest first."""
    del caller

    def read(limit: int, after: Position | None) -> Sequence[Offered]:
        before = None if after is None else after[0]
        return list_versions(offer_id=plan_id, kind=_KIND, before=before, limit=limit)

    page = page_of(read, query=query, position=lambda one: (one.version.version,))
    return {**page, "items": _told(page["items"])}


@plans.post(
    "/<uuid:plan_id>/versions",
    guard=_ADMIN,
    body=PlanTermsBody,
    answer=PlanVersionView,
    status=201,
    idempotency="answer",
    refusals=(NotFound, OfferCurrency, Unlawful),
)
def propose_plan_version(
    *, caller: OfficeCaller, plan_id: UUID, body: dict[str, Any]
) -> dict[str, Any]:
    """Propose other terms of a plan: all of them, not what changes.

    Whoever has bought it keeps their own, if no migration is agreed (`/v1/plan-migrations`).
    """
    now = clock.now()
    offered, schedule = read_plan(body, now=now)
    made = terms.propose_plan_version(
        offer_id=plan_id,
        terms=offered,
        schedule=schedule,
        legal_entity_id=body["legal_entity_id"],
        by_id=caller.staff_id,
        now=now,
    )
    return _one(made)


@plans.post(
    "/<uuid:plan_id>/versions/<number>/approve",
    guard=_OFFICE,
    answer=PlanVersionView,
    idempotency="answer",
    refusals=(NotFound, VersionDecided, TwoPeople, VersionOutdated),
)
def approve_plan_version(*, caller: OfficeCaller, plan_id: UUID, number: str) -> dict[str, Any]:
    """Let terms be sold that somebody else has proposed; the sale of older ones ends by it."""
    approved = making.approve(
        offer_id=plan_id,
        kind=_KIND,
        number=number_of(number),
        by_id=caller.staff_id,
        now=clock.now(),
    )
    return _one(approved)


@plans.post(
    "/<uuid:plan_id>/versions/<number>/reject",
    guard=_OFFICE,
    answer=PlanVersionView,
    idempotency="answer",
    refusals=(NotFound, VersionDecided),
)
def reject_plan_version(*, caller: OfficeCaller, plan_id: UUID, number: str) -> dict[str, Any]:
    """Turn proposed terms down, or take your own back."""
    rejected = making.reject(
        offer_id=plan_id,
        kind=_KIND,
        number=number_of(number),
        by_id=caller.staff_id,
        now=clock.now(),
    )
    return _one(rejected)


@plans.post(
    "/<uuid:plan_id>/versions/<number>/end-sale",
    guard=_OFFICE,
    body=EndSaleBody,
    answer=PlanVersionView,
    idempotency="answer",
    refusals=(NotFound, VersionNotApproved, SaleEndsEarlier),
)
def end_plan_sale(
    *, caller: OfficeCaller, plan_id: UUID, number: str, body: dict[str, Any]
) -> dict[str, Any]:
    """End the sale of a version, now or later. Nothing else about it changes, nor what was sold."""
    del caller
    now, ends_at = clock.now(), body["sale_ends_at"]
    if ends_at is not None and ends_at < now:
        raise ValidationError({"sale_ends_at": ["Is over."]})
    ended = making.end_sale(
        offer_id=plan_id, kind=_KIND, number=number_of(number), ends_at=ends_at, now=now
    )
    return _one(ended)


def _one(version: OfferVersion) -> dict[str, Any]:
    found = get_version(offer_id=version.offer_id, kind=_KIND, number=version.version)
    return _told([found])[0]


def _told(offered: Sequence[Offered]) -> list[dict[str, Any]]:
    """Plans with schedules and terms in sentences, in as many statements as for one."""
    said_in = language()
    words = vouchers.list_terms_in_words([one.version for one in offered], said_in)
    schedules = plans_of(one.version.id for one in offered)
    now = clock.now()
    return [
        {
            "offer": one.offer,
            "version": one.version,
            "schedule": _schedule(schedules.get(one.version.id)),
            "product_ids": one.product_ids,
            "store_ids": one.store_ids,
            "terms": [
                *_schedule_in_words(schedules.get(one.version.id), said_in),
                *words[one.version.id],
            ],
            "state": state_of(one.version, now=now),
        }
        for one in offered
    ]


def _schedule_in_words(plan: Plan | None, said_in: Language) -> list[str]:
    if plan is None:
        return []
    return [*beginning_in_words(plan, said_in), *schedule_in_words(plan, said_in)]


def _schedule(plan: Plan | None) -> PlanSchedule | None:
    return None if plan is None else plan.schedule
