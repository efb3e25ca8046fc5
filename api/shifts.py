"""Shifts: staff at a till, and the money that they take."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

import chain
import payments
from api.auth import DeviceCaller, TillCaller, device, till
from api.counted import counted
from api.fields import Id, Integer, MoneyField, Schema, SixDigits, StaffNumber, Text, Timestamp
from api.routing import Resource
from chain import FirstPin, SignInRefused, StaffSignedIn, StoreScope
from kernel import clock
from kernel.errors import RateLimited
from payments import CountUnexplained, PaymentUnderWay

_MOST_COUNTED = 99_999_999
_MOST_CURRENCIES = 10

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


class SumView(Schema):
    """What was taken in one currency, less what was handed back."""

    cash = MoneyField(required=True, metadata={"description": "In the drawer, but for the float."})
    terminal = MoneyField(required=True, metadata={"description": "With the card terminal."})


class TotalView(Schema):
    """What the shift took so far."""

    sums = fields.List(
        fields.Nested(SumView),
        required=True,
        metadata={"description": "By currency; empty as long as nothing was taken."},
    )


class CountedBody(Schema):
    """Cash of one currency."""

    currency = Text(
        required=True,
        most=3,
        validate=validate.Regexp(r"^[A-Z]{3}(?!\n)$"),
        metadata={"description": "As `TWD`.", "example": "TWD"},
    )
    amount = Integer(
        required=True,
        least=0,
        most=_MOST_COUNTED,
        metadata={"description": "In minor units (whole dollars for TWD), without the float."},
    )


class CloseBody(Schema):
    """What was counted."""

    counted = fields.List(
        fields.Nested(CountedBody),
        required=True,
        validate=validate.Length(1, _MOST_CURRENCIES),
        metadata={"description": "Each currency once; one that is not named counts as none."},
    )
    note = Text(
        load_default=None,
        allow_none=True,
        least=1,
        most=500,
        metadata={"description": "Why it differs from what was recorded, where it does."},
    )

    @validates_schema
    def _refuse_doubled(self, loaded: dict[str, Any], **_: Any) -> None:
        named = [one["currency"] for one in loaded["counted"]]
        if len(set(named)) < len(named):
            raise ValidationError({"counted": ["Given more than once."]})


class ClosedSumView(SumView):
    """What a closed shift took in one currency, and the cash that was counted."""

    counted = MoneyField(required=True, metadata={"description": "What was in the drawer."})
    difference = MoneyField(
        required=True, metadata={"description": "Counted less recorded; negative if some lacks."}
    )


class ClosedView(Schema):
    """A shift whose money was counted."""

    sums = fields.List(
        fields.Nested(ClosedSumView), required=True, metadata={"description": "By currency."}
    )
    note = Text(
        required=True, allow_none=True, metadata={"description": "Why they differ, if they do."}
    )


@shifts.post(
    "",
    guard=device,
    body=ShiftBody,
    answer=ShiftView,
    status=201,
    transaction="own",
    refusals=(FirstPin, SignInRefused, StoreScope, RateLimited),
)
def start_shift(*, caller: DeviceCaller, body: dict[str, Any]) -> StaffSignedIn:
    """Sign in at an enrolled device with number and PIN.

    An unknown number and a wrong PIN get one and the same answer; five in a row lock the number
    for a quarter of an hour, twenty of any numbers the device. The PIN that the desk gave is only
    good for choosing an own one. The shift ends with the device's rights.
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


@shifts.get("/current/total", guard=till, answer=TotalView)
def show_total(*, caller: TillCaller) -> dict[str, Any]:
    """Tell what this shift has taken so far, less what it has handed back."""
    return {"sums": payments.shift_sums(caller.shift_id)}


@shifts.post(
    "/current/close",
    guard=till,
    body=CloseBody,
    answer=ClosedView,
    idempotency="answer",
    refusals=(CountUnexplained, PaymentUnderWay),
)
def close_shift(*, caller: TillCaller, body: dict[str, Any]) -> dict[str, Any]:
    """Count the cash of this shift, once: it takes and hands out no more money after that.

    A difference to what was recorded needs a note. Sign out afterwards, as always.
    """
    totals = payments.close_shift(
        shift_id=caller.shift_id,
        counted={one["currency"]: one["amount"] for one in body["counted"]},
        note=body["note"],
        by_id=caller.staff_id,
        now=clock.now(),
    )
    sums = [
        {
            "cash": total.cash,
            "terminal": total.terminal,
            "counted": total.counted,
            "difference": total.counted - total.cash,
            "currency": total.currency,
        }
        for total in totals
    ]
    return {"sums": sums, "note": totals[0].note if totals else None}
