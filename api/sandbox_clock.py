"""Moving the clock, in development only: a month passes in a moment, and what is due happens."""

from datetime import datetime, timedelta
from typing import Any

from marshmallow import Schema

from api.auth import OfficeCaller, office
from api.fields import Integer, Timestamp
from api.routing import Resource
from kernel import clock
from kernel.errors import NotFound

sandbox_clock = Resource(
    "sandbox_clock", "/v1/sandbox/clock", "The sandbox's clock: it moves in development only."
)

_A_YEAR_S = 366 * 24 * 3600


class AdvanceBody(Schema):
    """How far."""

    seconds = Integer(
        required=True, least=1, most=_A_YEAR_S, metadata={"description": "Forward only."}
    )


class ClockView(Schema):
    """What time it is here."""

    now = Timestamp(required=True, metadata={"description": "The present of this installation."})


@sandbox_clock.get("", guard=office("admin"), answer=ClockView, transaction="own")
def read(*, caller: OfficeCaller) -> dict[str, datetime]:
    """Read the installation's clock."""
    del caller
    return {"now": clock.now()}


@sandbox_clock.post(
    "/advance",
    guard=office("admin"),
    body=AdvanceBody,
    answer=ClockView,
    transaction="own",
    refusals=(NotFound,),
)
def advance(*, caller: OfficeCaller, body: dict[str, Any]) -> dict[str, datetime]:
    """Move the clock of this installation forward. Anything but development answers 404."""
    del caller
    if not clock.is_movable():
        raise NotFound
    return {"now": clock.advance(timedelta(seconds=body["seconds"]))}
