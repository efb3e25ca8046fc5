"""Sharing a plan: its owner offers places by links, others take them and collect from it."""

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields, validate

import redemption
import subs
from api.auth import MemberCaller, member
from api.credentials import CredentialView, shown_credential
from api.fields import Id, Integer, Schema, Text, Timestamp
from api.paging import Page, Position, page_of, paged
from api.pictures import PRODUCED, CodeQuery, shown_code
from api.routing import Resource
from kernel import clock
from kernel.config import config
from kernel.errors import NotFound, RateLimited
from subs import (
    AlreadySharing,
    InvitationLimit,
    InvitationOver,
    Invited,
    NoPlaceLeft,
    OwnPlan,
    Place,
    PlanNotShared,
    SharedPlan,
    SubscriptionEnded,
)

sharers = Resource(
    "sharers", "/v1/subscriptions", "Sharers: who else collects from a member's plan."
)
invitations = Resource(
    "invitations", "/v1/invitations", "Invitations: places in somebody's plan, by a link."
)
shared_plans = Resource(
    "shared_plans", "/v1/shared-plans", "Shared plans: those of others that a member collects from."
)


class PlaceView(Schema):
    """A place in a plan, for its owner. Who has it is not told."""

    id = Id(required=True, metadata={"description": "To take it back."})
    status = Text(
        required=True,
        validate=validate.OneOf(("offered", "taken")),
        metadata={"description": "`offered`: nobody has taken it yet."},
    )
    invited_at = Timestamp(required=True, metadata={"description": "When it was offered."})
    ends_at = Timestamp(required=True, metadata={"description": "Until when it can be taken."})
    joined_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When it was taken; null before."}
    )
    token = Text(
        required=True,
        allow_none=True,
        metadata={"description": "What takes it, while it is offered; then null."},
    )
    link = Text(
        required=True,
        allow_none=True,
        metadata={"description": "The token as an address to share."},
    )


class PlacesView(Schema):
    """The places of a plan."""

    most = Integer(required=True, metadata={"description": "How many the plan has; 0: for one."})
    items = fields.List(
        fields.Nested(PlaceView),
        required=True,
        metadata={"description": "Those that are taken or offered, the first offered first."},
    )


class InvitationView(Schema):
    """What a link offers: a place in a plan."""

    plan = Text(required=True, attribute="code", metadata={"description": "The plan's code."})
    name = Text(required=True, metadata={"description": "For people."})
    unit = Text(required=True, metadata={"description": "What is collected: `cup`, `item` …"})
    ends_at = Timestamp(required=True, metadata={"description": "Until when it can be taken."})


class SharedPlanView(Schema):
    """Somebody else's plan that you collect from."""

    id = Id(required=True, metadata={"description": "Of your place in it; to leave."})
    subscription_id = Id(
        required=True, metadata={"description": "Of the plan; to fetch what makes its codes."}
    )
    plan = Text(required=True, attribute="code", metadata={"description": "The plan's code."})
    name = Text(required=True, metadata={"description": "For people."})
    unit = Text(required=True, metadata={"description": "What is collected: `cup`, `item` …"})
    is_unlimited = fields.Boolean(
        required=True, metadata={"description": "Whether nobody counts what is collected."}
    )
    left = Integer(
        required=True,
        allow_none=True,
        metadata={"description": "What all who share it can still collect; null: not counted."},
    )
    joined_at = Timestamp(required=True, metadata={"description": "Since when."})


@sharers.get(
    "/<uuid:subscription_id>/sharers", guard=member, answer=PlacesView, refusals=(NotFound,)
)
def list_sharers(*, caller: MemberCaller, subscription_id: UUID) -> dict[str, Any]:
    """List the places of your plan that are taken or offered."""
    found = subs.list_places(
        member_id=caller.member_id, subscription_id=subscription_id, now=clock.now()
    )
    return {"most": found.most, "items": [_shown(place) for place in found.items]}


@sharers.post(
    "/<uuid:subscription_id>/sharers",
    guard=member,
    answer=PlaceView,
    status=201,
    idempotency="answer",
    refusals=(NotFound, SubscriptionEnded, PlanNotShared, NoPlaceLeft, InvitationLimit),
)
def invite_sharer(*, caller: MemberCaller, subscription_id: UUID) -> dict[str, Any]:
    """Offer a place in your plan by a link, for a week. Whoever is signed in and has it, joins.

    They collect from this plan's cups, and from nothing else in your wallet.
    """
    offered = subs.invite(
        member_id=caller.member_id, subscription_id=subscription_id, now=clock.now()
    )
    return _shown(subs.place_of(offered))


@sharers.get(
    "/<uuid:subscription_id>/sharers/<uuid:sharer_id>/code",
    guard=member,
    query=CodeQuery,
    produces=PRODUCED,
    refusals=(NotFound,),
)
def show_invitation_code(
    *, caller: MemberCaller, subscription_id: UUID, sharer_id: UUID, query: dict[str, Any]
) -> Response:
    """Show the link that offers a place in your plan as a QR, for somebody who is beside you.

    As SVG, PNG or text. A place that is taken, or was offered too long ago, has none.
    """
    found = subs.list_places(
        member_id=caller.member_id, subscription_id=subscription_id, now=clock.now()
    )
    token = next((one.token for one in found.items if one.id == sharer_id), None)
    if token is None:
        raise NotFound
    return shown_code(_link(token), query)


@sharers.delete(
    "/<uuid:subscription_id>/sharers/<uuid:sharer_id>",
    guard=member,
    status=204,
    refusals=(NotFound,),
)
def remove_sharer(*, caller: MemberCaller, subscription_id: UUID, sharer_id: UUID) -> None:
    """Take a place in your plan back, or the offer of one. It is over at once."""
    subs.remove(
        member_id=caller.member_id,
        subscription_id=subscription_id,
        sharer_id=sharer_id,
        now=clock.now(),
    )


@sharers.post(
    "/<uuid:subscription_id>/credentials",
    guard=member,
    answer=CredentialView,
    status=201,
    refusals=(NotFound, RateLimited),
)
def issue_shared_credential(*, caller: MemberCaller, subscription_id: UUID) -> dict[str, Any]:
    """Give this phone what makes codes for a plan that you share. They open nothing else.

    Your own codes, with all that you hold, come from your wallet.
    """
    issued = redemption.issue_shared_credential(
        holder_id=caller.member_id, subscription_id=subscription_id, now=clock.common()
    )
    return shown_credential(issued)


@invitations.get("/<invitation>", guard=member, answer=InvitationView, refusals=(NotFound,))
def show_invitation(*, caller: MemberCaller, invitation: str) -> Invited:
    """Show what a link offers. What is unknown, taken or over looks the same: it is not found."""
    del caller  # whoever has the link
    return subs.see_invitation(token=invitation, now=clock.now())


@invitations.post(
    "/<invitation>/join",
    guard=member,
    answer=SharedPlanView,
    idempotency="answer",
    refusals=(NotFound, OwnPlan, AlreadySharing, InvitationOver, NoPlaceLeft),
)
def join_plan(*, caller: MemberCaller, invitation: str) -> SharedPlan:
    """Take the place that a link offers."""
    now = clock.now()
    place = subs.join(member_id=caller.member_id, token=invitation, now=now)
    return subs.get_shared_plan(member_id=caller.member_id, sharer_id=place.id, now=now)


@shared_plans.get("", guard=member, query=Page, answer=paged(SharedPlanView))
def list_shared_plans(*, caller: MemberCaller, query: dict[str, Any]) -> dict[str, Any]:
    """List the plans of others that you collect from, the newest first."""

    def read(limit: int, after: Position | None) -> list[SharedPlan]:
        return subs.list_shared_plans(
            member_id=caller.member_id,
            before=None if after is None else after[0],
            limit=limit,
            now=clock.now(),
        )

    return page_of(read, query=query, position=lambda one: (one.id,))


@shared_plans.delete("/<uuid:place_id>", guard=member, status=204, refusals=(NotFound,))
def leave_plan(*, caller: MemberCaller, place_id: UUID) -> None:
    """Give your place in somebody's plan up. It is over at once, and its owner is told."""
    subs.leave(member_id=caller.member_id, sharer_id=place_id, now=clock.now())


def _shown(place: Place) -> dict[str, Any]:
    told = {name: getattr(place, name) for name in Place.__slots__}
    return {**told, "link": None if place.token is None else _link(place.token)}


def _link(token: str) -> str:
    return f"{config().public_origin}/j/{token}"
