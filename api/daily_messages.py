"""The message that a member may have every day of a plan."""

from typing import Any
from uuid import UUID

from api.auth import MemberCaller, member
from api.fields import Flag, Schema, Timestamp
from api.routing import Resource
from kernel import clock
from kernel.errors import NotFound
from subs import SubscriptionEnded
from subs.models import Subscription
from subs.service import daily

daily_messages = Resource(
    "daily_messages",
    "/v1/subscriptions",
    "Daily messages: what is left of a plan, told every morning to who asks for it.",
)

_PATH = "/<uuid:subscription_id>/daily-message"


class DailyMessageBody(Schema):
    """Whether to be told."""

    is_wanted = Flag(
        required=True, metadata={"description": "Whether to have a message every day."}
    )


class DailyMessageView(DailyMessageBody):
    """Whether a member is told every day what is left of their plan."""

    next_at = Timestamp(
        required=True,
        allow_none=True,
        metadata={"description": "When the next one comes; null if none does."},
    )


@daily_messages.get(_PATH, guard=member, answer=DailyMessageView, refusals=(NotFound,))
def get_daily_message(*, caller: MemberCaller, subscription_id: UUID) -> dict[str, Any]:
    """Read whether you are told every day what is left of a plan of yours."""
    return _shown(daily.get_daily(member_id=caller.member_id, subscription_id=subscription_id))


@daily_messages.put(
    _PATH,
    guard=member,
    body=DailyMessageBody,
    answer=DailyMessageView,
    refusals=(NotFound, SubscriptionEnded),
)
def ask_for_daily_message(
    *, caller: MemberCaller, subscription_id: UUID, body: dict[str, Any]
) -> dict[str, Any]:
    """Have a message every morning of the periods that are paid, or have none any more."""
    asked = daily.ask_for_daily(
        member_id=caller.member_id, subscription_id=subscription_id, now=clock.now(), **body
    )
    return _shown(asked)


def _shown(one: Subscription) -> dict[str, Any]:
    next_at = None if one.ended_at is not None else one.tells_at
    return {"is_wanted": next_at is not None, "next_at": next_at}
