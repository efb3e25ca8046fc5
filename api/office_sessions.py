"""Sessions at a desk: managers, finance and admins."""

from typing import Any

from marshmallow import validate

import chain
from api.auth import OfficeCaller, anyone, office
from api.counted import counted
from api.fields import Id, Schema, SixDigits, StaffNumber, Text, Timestamp
from api.routing import Resource
from chain import SignInRefused, StaffSignedIn
from kernel import clock
from kernel.errors import RateLimited

office_sessions = Resource(
    "office_sessions", "/v1/office-sessions", "Office sessions: managers, finance and admins."
)


class OfficeSessionBody(Schema):
    """Who works, with two proofs."""

    staff_number = StaffNumber(required=True, metadata={"description": "Their own."})
    password = Text(required=True, least=1, most=200, metadata={"description": "Their own."})
    totp = SixDigits(
        required=True, metadata={"description": "The one-time code of this half minute (RFC 6238)."}
    )


class OfficeSessionView(Schema):
    """A desk that is signed in."""

    session_id = Id(required=True, attribute="id", metadata={"description": "To name it by."})
    staff_id = Id(required=True, metadata={"description": "Who works."})
    name = Text(required=True, metadata={"description": "Their name."})
    role = Text(
        required=True,
        validate=validate.OneOf(("manager", "finance", "admin")),
        metadata={"description": "What they may do."},
    )
    token = Text(
        required=True, metadata={"description": "For `Authorization: Bearer`. Shown this once."}
    )
    ends_at = Timestamp(
        required=True, metadata={"description": "Managers have eight hours, others one."}
    )


@office_sessions.post(
    "",
    guard=anyone,
    body=OfficeSessionBody,
    answer=OfficeSessionView,
    status=201,
    transaction="own",
    refusals=(SignInRefused, RateLimited),
)
def start_office_session(*, body: dict[str, Any]) -> StaffSignedIn:
    """Sign in at a desk with number, password and one-time code.

    Whichever of them is wrong, the answer is the same; five in a row lock the number for a
    quarter of an hour. A one-time code is good once.
    """
    started: StaffSignedIn = counted(lambda: chain.start_office_session(**body, now=clock.now()))
    return started


@office_sessions.delete("/current", guard=office("manager", "finance", "admin"), status=204)
def end_office_session(*, caller: OfficeCaller) -> None:
    """Sign out at the desk."""
    chain.end_office_session(session_id=caller.session_id, now=clock.now())
