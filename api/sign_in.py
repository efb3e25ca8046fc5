"""Asking for a one-time code."""

from typing import Any

from marshmallow import validate

import members
from api.auth import anyone
from api.fields import Id, Schema, Text, Timestamp
from api.language import language
from api.routing import Resource
from kernel import clock
from kernel.errors import RateLimited
from members import Challenge, PhoneUnsupported
from members.policy import RESEND_AFTER

sign_in = Resource("sign_in", "/v1/sign-in", "Sign-in: a one-time code to a shopper's phone.")

AS_DIALLED = validate.Regexp(r"^\+?[0-9() -]{6,24}(?!\n)$")


class ChallengeBody(Schema):
    """Whose phone."""

    phone = Text(
        required=True,
        most=25,
        validate=AS_DIALLED,
        metadata={
            "description": "A Taiwanese mobile number, as +886912345678 or 0912345678.",
            "example": "0912345678",
        },
    )
    locale = Text(
        validate=validate.OneOf(("zh-TW", "en")),
        metadata={"description": "Of the message; that of Accept-Language if it is not given."},
    )


class ChallengeView(Schema):
    """A code on its way. The same for every phone, whether a member has it or not."""

    challenge_id = Id(required=True, metadata={"description": "To be sent back with the code."})
    ends_at = Timestamp(required=True, metadata={"description": "Until when the code is good."})
    resend_after = Timestamp(
        required=True, metadata={"description": "From when another code may be asked for."}
    )


@sign_in.post(
    "/challenges",
    guard=anyone,
    body=ChallengeBody,
    answer=ChallengeView,
    status=201,
    refusals=(PhoneUnsupported, RateLimited),
)
def ask_for_code(*, body: dict[str, Any]) -> dict[str, Any]:
    """Have a code sent to a phone.

    Six digits, good for five minutes and five tries. One code a minute, five an hour and ten a
    day are sent to one phone.
    """
    asked: Challenge = members.challenge(**{"locale": language(), **body}, now=clock.now())
    return {
        "challenge_id": asked.id,
        "ends_at": asked.ends_at,
        "resend_after": asked.sent_at + RESEND_AFTER,
    }
