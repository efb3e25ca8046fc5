"""Members as they see themselves."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response
from flask.globals import request_ctx
from marshmallow import ValidationError, fields, validate

import members as shoppers
from api.auth import MemberCaller, member
from api.fields import Day, Id, Name, Schema, Text, Timestamp
from api.files import file_answer, name_file
from api.personal import write_everything
from api.routing import Resource
from kernel import clock
from members import Profile

members = Resource("members", "/v1/members", "Members: what a shopper told about themselves.")

_EARLIEST_BIRTHDAY = date(1900, 1, 1)
_TAIPEI = ZoneInfo("Asia/Taipei")
_PLAIN = validate.Regexp(r"^[!-~]+(?!\n)$")
_LOCALES = validate.OneOf(("zh-TW", "en"))


def _born_already(birthday: date) -> None:
    if not _EARLIEST_BIRTHDAY <= birthday <= clock.now().astimezone(_TAIPEI).date():
        raise ValidationError("Invalid value.")


class ProfileBody(Schema):
    """What to change. What is left out stays; null takes a thing back."""

    name = Name(allow_none=True, metadata={"description": "What to call them."})
    birthday = Day(
        allow_none=True,
        validate=_born_already,
        metadata={"description": "From 1900 to today."},
    )
    email = fields.Email(
        allow_none=True,
        validate=[validate.Length(max=254), _PLAIN],
        metadata={"description": "For receipts and reminders."},
    )
    locale = Text(validate=_LOCALES, metadata={"description": "Of messages."})


class ProfileView(Schema):
    """A member, to themselves."""

    member_id = Id(required=True, metadata={"description": "Theirs for good."})
    phone_masked = Text(
        required=True,
        data_key="phone",
        metadata={"description": "Enough to recognise it.", "example": "+8869•••••678"},
    )
    name = Text(required=True, allow_none=True, metadata={"description": "What to call them."})
    birthday = Day(required=True, allow_none=True, metadata={"description": "YYYY-MM-DD."})
    email = Text(
        required=True, allow_none=True, metadata={"description": "For receipts and reminders."}
    )
    locale = Text(required=True, validate=_LOCALES, metadata={"description": "Of messages."})
    joined_at = Timestamp(required=True, metadata={"description": "Their first sign-in."})


@members.get("/me", guard=member, answer=ProfileView)
def get_me(*, caller: MemberCaller) -> Profile:
    """Show the member who is signed in."""
    return shoppers.get_profile(member_id=caller.member_id)


@members.patch("/me", guard=member, body=ProfileBody, answer=ProfileView)
def change_me(*, caller: MemberCaller, body: dict[str, Any]) -> Profile:
    """Change name, birthday, e-mail or language. Only the phone is ever required."""
    return shoppers.change_profile(member_id=caller.member_id, **body)


@members.get("/me/export", guard=member, transaction="snapshot", produces=("application/json",))
def export_me(*, caller: MemberCaller) -> Response:
    """Read everything that is held about the member who is signed in, as of one moment.

    One JSON object: a list for each kind of thing (`profile`, `orders`, `payments`, `lots`,
    `redemptions`, `gifts`, `refunds`, `invoices`, `subscriptions`, `entries` …), each of objects.
    What proves who they are (tokens, seeds, keys) is not in it, nor anything about anybody else.
    """
    response = file_answer(
        lambda file: write_everything(file, caller.member_id),
        content_type="application/json",
        sent=request_ctx.request,
    )
    name_file(response, "jibei-export.json")
    return response
