"""Members' sessions: in with the code, and out."""

from typing import Any

from marshmallow import fields, validate

import members
from api import browser
from api.auth import MemberCaller, anyone, member
from api.counted import counted
from api.fields import Id, Schema, SixDigits, Text, Timestamp
from api.routing import Resource
from kernel import clock
from kernel.errors import RateLimited
from members import CodeWrong, SignedIn

sessions = Resource("sessions", "/v1/sessions", "Sessions: a shopper who is signed in.")


class SessionBody(Schema):
    """The code, and how the session shall be carried."""

    challenge_id = Id(required=True, metadata={"description": "Of the challenge it answers."})
    code = SixDigits(required=True, metadata={"description": "The six digits."})
    transport = Text(
        required=True,
        validate=validate.OneOf(("bearer", "cookie")),
        metadata={"description": "An app carries a `bearer` token, a browser the `cookie`."},
    )


class SessionView(Schema):
    """A fresh session. What it shows of itself is shown once."""

    member_id = Id(required=True, metadata={"description": "Who signed in."})
    is_new = fields.Boolean(
        required=True, metadata={"description": "Whether this was their first time."}
    )
    ends_at = Timestamp(required=True, metadata={"description": "Thirty days from now."})
    token = Text(metadata={"description": "For `Authorization: Bearer`; with bearer only."})
    csrf_token = Text(metadata={"description": "For `X-CSRF-Token`; with cookie only."})


@sessions.post(
    "",
    guard=anyone,
    body=SessionBody,
    answer=SessionView,
    status=201,
    transaction="own",
    refusals=(CodeWrong, RateLimited),
)
def start_session(*, body: dict[str, Any]) -> dict[str, Any]:
    """Sign in with the code that was sent.

    The first time, this makes the member. A code that is wrong, ended, used, or of no challenge
    at all gets one and the same answer; the fifth wrong one ends its challenge.
    """
    transport = body.pop("transport")
    signed_in: SignedIn = counted(lambda: members.sign_in(**body, now=clock.now()))
    shown = {
        "member_id": signed_in.member_id,
        "is_new": signed_in.is_new,
        "ends_at": signed_in.ends_at,
    }
    if transport == "bearer":
        return {**shown, "token": signed_in.token}
    browser.keep_session(signed_in.token, ends_at=signed_in.ends_at)
    return {**shown, "csrf_token": browser.csrf_token(signed_in.token)}


@sessions.delete("/current", guard=member, status=204)
def end_session(*, caller: MemberCaller) -> None:
    """Sign out, here and now. Other sessions of the member stay."""
    members.end_session(session_id=caller.session_id, now=clock.now())
    browser.forget_session()
