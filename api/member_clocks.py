"""A clock for each member, in development only: a year of a plan passes in a moment."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from marshmallow import Schema, fields

import members
from api.auth import OfficeCaller, office
from api.fields import Timestamp
from api.routing import Resource
from api.sandbox_clock import AdvanceBody
from kernel import clock, queue
from kernel.errors import NotFound
from kernel.transaction import after_commit
from members import ClockTooFar, MemberTime
from subs.clock_jobs import DUTY

member_clocks = Resource(
    "member_clocks",
    "/v1/sandbox/members",
    "The sandbox's clocks of members: each moves by itself, in development only.",
)


class MemberClockView(Schema):
    """What time it is for a member."""

    now = Timestamp(required=True, metadata={"description": "The present of this member."})
    goal_at = Timestamp(
        required=True,
        metadata={"description": "Where their clock is going; it gets there step by step."},
    )
    is_moving = fields.Boolean(
        required=True,
        metadata={"description": "Whether something that is due until then is still to be done."},
    )


@member_clocks.get(
    "/<uuid:member_id>/clock",
    guard=office("admin"),
    answer=MemberClockView,
    refusals=(NotFound,),
)
def read(*, caller: OfficeCaller, member_id: UUID) -> MemberTime:
    """Read a member's clock. Anything but development answers 404."""
    del caller
    return members.get_clock(member_id=member_id, now=clock.now())


@member_clocks.post(
    "/<uuid:member_id>/clock/advance",
    guard=office("admin"),
    body=AdvanceBody,
    answer=MemberClockView,
    idempotency="answer",
    refusals=(NotFound, ClockTooFar),
)
def advance(*, caller: OfficeCaller, member_id: UUID, body: dict[str, Any]) -> MemberTime:
    """Let a member's clock run ahead by so much more.

    Everything that is due until then happens as it would: each renewal on its day, each notice in
    its turn. That takes some seconds; read the clock until it moves no more. Anything but
    development answers 404.
    """
    del caller
    by = timedelta(seconds=body["seconds"])
    moved = members.advance_clock(member_id=member_id, by=by, now=clock.now())
    after_commit(_ring)
    return moved


def _ring() -> None:
    queue.ring(DUTY)
