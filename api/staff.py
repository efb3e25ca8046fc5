"""Staff who work at tills, as the office adds them, and the PIN that each chooses."""

from typing import Any
from uuid import UUID

from marshmallow import ValidationError, fields, validate, validates_schema

import chain
from api.auth import DeviceCaller, OfficeCaller, device, office
from api.counted import counted
from api.fields import Id, Name, Schema, SixDigits, StaffNumber, Text, Timestamp
from api.paging import Page, page_of, paged
from api.routing import Resource
from chain import NotAtTills, Person, SignInRefused, StaffNumberTaken, StoreScope
from chain.models import ROLES
from chain.policy import AT_TILLS
from kernel import clock
from kernel.errors import NotFound, RateLimited

staff = Resource("staff", "/v1/staff", "Staff: who works at the chain's tills.")

_AT_DESK = office("manager", "admin")
_MOST_STORES = 100


class StaffBody(Schema):
    """Somebody who shall work at tills."""

    number = StaffNumber(required=True, metadata={"description": "What they sign in with."})
    name = Name(required=True, metadata={"description": "As it stands at the till."})
    role = Text(
        load_default="clerk",
        validate=validate.OneOf(AT_TILLS),
        metadata={"description": "What they may do; only an admin adds managers."},
    )
    store_ids = fields.List(
        Id(),
        required=True,
        validate=validate.Length(1, _MOST_STORES),
        metadata={"description": "Where they work."},
    )
    member_id = Id(
        load_default=None,
        allow_none=True,
        metadata={"description": "Their own wallet, from which they may not hand over cups."},
    )


class StoresBody(Schema):
    """Where somebody shall work."""

    store_ids = fields.List(
        Id(),
        required=True,
        validate=validate.Length(1, _MOST_STORES),
        metadata={"description": "All of the stores."},
    )


class PinBody(Schema):
    """A PIN, and the one that replaces it."""

    staff_number = StaffNumber(required=True, metadata={"description": "Their own."})
    pin = SixDigits(required=True, metadata={"description": "As it is: the desk's, or their own."})
    new_pin = SixDigits(
        required=True,
        metadata={"description": "As it shall be: no run of digits.", "example": "271828"},
    )

    @validates_schema(skip_on_field_errors=True)
    def _refuse_poor(self, loaded: dict[str, Any], **_: Any) -> None:
        if loaded["new_pin"] == loaded["pin"]:
            raise ValidationError({"new_pin": ["Choose another one."]})
        if chain.is_guessable(loaded["new_pin"]):
            raise ValidationError({"new_pin": ["Too easy to guess."]})


class StaffView(Schema):
    """Somebody of the staff."""

    id = Id(required=True, attribute="staff.id", metadata={"description": "To name them by."})
    number = Text(
        required=True, attribute="staff.number", metadata={"description": "They sign in with it."}
    )
    name = Text(required=True, attribute="staff.name", metadata={"description": "Their name."})
    role = Text(
        required=True,
        attribute="staff.role",
        validate=validate.OneOf(ROLES),
        metadata={"description": "What they may do."},
    )
    store_ids = fields.List(Id(), required=True, metadata={"description": "Where they work."})
    pin_ends_at = Timestamp(
        required=True,
        allow_none=True,
        attribute="staff.pin_ends_at",
        metadata={"description": "Until when they must have chosen their own PIN; null once done."},
    )
    disabled_at = Timestamp(
        required=True,
        allow_none=True,
        attribute="staff.disabled_at",
        metadata={"description": "Since when they may do nothing."},
    )


class FirstPinView(Schema):
    """Somebody who must choose a PIN."""

    staff = fields.Nested(
        StaffView, required=True, attribute="person", metadata={"description": "Who."}
    )
    pin = Text(
        required=True,
        metadata={
            "description": "The first one, shown this once. It is good for a day, and only for"
            " choosing another at a till."
        },
    )


@staff.get("", guard=_AT_DESK, query=Page, answer=paged(StaffView))
def list_staff(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """List the staff: an admin sees all, a manager who works at their own stores."""
    return page_of(
        lambda limit, after: chain.list_staff(
            by_id=caller.staff_id,
            by_role=caller.role,
            after=after[0] if after else None,
            limit=limit,
        ),
        query=query,
        position=lambda person: (person.staff.id,),
    )


@staff.post(
    "",
    guard=_AT_DESK,
    body=StaffBody,
    answer=FirstPinView,
    status=201,
    refusals=(NotFound, StaffNumberTaken, StoreScope),
)
def add_staff(*, caller: OfficeCaller, body: dict[str, Any]) -> chain.FirstPinGiven:
    """Add somebody who works at tills, with a first PIN. Managers: clerks of their own stores."""
    return chain.add_staff(**body, by_id=caller.staff_id, by_role=caller.role, now=clock.now())


@staff.post(
    "/<uuid:staff_id>/reset-pin",
    guard=_AT_DESK,
    answer=FirstPinView,
    refusals=(NotAtTills, NotFound, StoreScope),
)
def reset_pin(*, caller: OfficeCaller, staff_id: UUID) -> chain.FirstPinGiven:
    """Give somebody who forgot their PIN a first one again; theirs ends at once."""
    return chain.reset_pin(
        staff_id=staff_id, by_id=caller.staff_id, by_role=caller.role, now=clock.now()
    )


@staff.put(
    "/<uuid:staff_id>/stores",
    guard=_AT_DESK,
    body=StoresBody,
    answer=StaffView,
    refusals=(NotFound, StoreScope),
)
def move_staff(*, caller: OfficeCaller, staff_id: UUID, body: dict[str, Any]) -> Person:
    """Let somebody work at these stores and no others; their shifts elsewhere end at once.

    Managers do so for clerks, as far as it concerns their own stores.
    """
    return chain.move_staff(
        staff_id=staff_id, **body, by_id=caller.staff_id, by_role=caller.role, now=clock.now()
    )


@staff.post(
    "/<uuid:staff_id>/disable",
    guard=_AT_DESK,
    answer=StaffView,
    refusals=(NotFound, StoreScope),
)
def disable_staff(*, caller: OfficeCaller, staff_id: UUID) -> Person:
    """Let somebody do nothing from now on; their shifts end at once. Again is no harm."""
    return chain.disable_staff(
        staff_id=staff_id, by_id=caller.staff_id, by_role=caller.role, now=clock.now()
    )


@staff.post(
    "/pin",
    guard=device,
    body=PinBody,
    status=204,
    transaction="own",
    refusals=(RateLimited, SignInRefused, StoreScope),
)
def choose_pin(*, caller: DeviceCaller, body: dict[str, Any]) -> None:
    """Replace a PIN by one's own, at an enrolled device of one's store.

    Wrong ones are counted as at the beginning of a shift.
    """
    counted(
        lambda: chain.choose_pin(
            **body, device_id=caller.device_id, store_id=caller.store_id, now=clock.now()
        )
    )
