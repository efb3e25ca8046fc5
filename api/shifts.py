"""Shifts: staff at a till."""

from typing import Any

from marshmallow import validate

import chain
from api.auth import DeviceCaller, TillCaller, device, till
from api.counted import counted
from api.fields import Id, Schema, SixDigits, StaffNumber, Text, Timestamp
from api.routing import Resource
from chain import SignInRefused, StaffSignedIn, StoreScope
from kernel import clock
from kernel.errors import RateLimited

shifts = Resource("shifts", "/v1/shifts", "Shifts: somebody of the staff works at a till.")


class ShiftBody(Schema):
    """Who works."""

    staff_number = StaffNumber(required=True, metadata={"description": "Their own."})
    pin = SixDigits(required=True, metadata={"description": "Six digits."})


class ShiftView(Schema):
    """A shift that has begun."""

    shift_id = Id(required=True, attribute="id", metadata={"description": "To name it by."})
    staff_id = Id(required=True, metadata={"description": "Who works."})
    name = Text(required=True, metadata={"description": "Their name."})
    role = Text(
        required=True,
        validate=validate.OneOf(("clerk", "manager")),
        metadata={"description": "What they may do."},
    )
    token = Text(
        required=True, metadata={"description": "For `Authorization: Bearer`. Shown this once."}
    )
    ends_at = Timestamp(required=True, metadata={"description": "Twelve hours from now."})


@shifts.post(
    "",
    guard=device,
    body=ShiftBody,
    answer=ShiftView,
    status=201,
    transaction="own",
    refusals=(SignInRefused, StoreScope, RateLimited),
)
def start_shift(*, caller: DeviceCaller, body: dict[str, Any]) -> StaffSignedIn:
    """Sign in at an enrolled device with number and PIN.

    An unknown number and a wrong PIN get one and the same answer; five in a row lock the number
    for a quarter of an hour. The shift ends with the device's rights.
    """
    started: StaffSignedIn = counted(
        lambda: chain.start_shift(
            **body, device_id=caller.device_id, store_id=caller.store_id, now=clock.now()
        )
    )
    return started


@shifts.delete("/current", guard=till, status=204)
def end_shift(*, caller: TillCaller) -> None:
    """Sign out at the till."""
    chain.end_shift(shift_id=caller.shift_id, now=clock.now())
