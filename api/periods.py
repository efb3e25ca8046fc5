"""The months of the books: who has closed them, and how one is reopened."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from marshmallow import fields, validate

from api.auth import OfficeCaller, office
from api.fields import Id, Integer, Name, Schema, Text, Timestamp
from api.paging import Page, Position, page_of, paged
from api.routing import Resource
from api.spans import PERIOD_PATTERN, month_named
from kernel import clock
from kernel.errors import NotFound
from ledger.errors import (
    PeriodInvalid,
    PeriodNotOver,
    PeriodOrder,
    PeriodState,
    ReopeningEnded,
    ReopeningExists,
    ReopeningOrder,
    TwoPeople,
)
from ledger.models import BookMonthStep, Reopening
from ledger.month import Month
from ledger.service import closing, reopening
from ledger.service.closing import PeriodView as Standing

periods = Resource("periods", "/v1/periods", "Periods: the months of the books, and their closing.")
reopenings = Resource(
    "reopenings", "/v1/reopenings", "Reopenings: of the latest closed month, by two people."
)

_FINANCE = office("finance", "admin")
_STATES = ("open", "soft", "closed")
_STEPS = ("soft_closed", "opened", "closed", "reopened")
_AS_MONTH = {"pattern": PERIOD_PATTERN, "example": "2026-01"}


class ReopeningBody(Schema):
    """Why a month shall be reopened."""

    reason = Name(
        required=True,
        most=500,
        metadata={
            "description": "For those who approve and audit it.",
            "example": "Store B reported January's refunds late.",
        },
    )


class StepView(Schema):
    """One step in the life of a month."""

    step = Text(
        required=True,
        validate=validate.OneOf(_STEPS),
        metadata={"description": "What was done."},
    )
    version = Integer(required=True, metadata={"description": "Of the month at that time."})
    at = Timestamp(required=True, metadata={"description": "When."})
    by_id = Id(required=True, metadata={"description": "Who of the staff."})


class PeriodView(Schema):
    """A month as it stands."""

    period = Text(required=True, metadata={"description": "The month.", **_AS_MONTH})
    state = Text(
        required=True,
        validate=validate.OneOf(_STATES),
        metadata={"description": "`soft`: only finance books into it; `closed`: nobody does."},
    )
    version = Integer(
        required=True,
        metadata={"description": "Counts its closings, the coming one included."},
    )
    closing_asked_at = Timestamp(
        required=True,
        allow_none=True,
        metadata={"description": "Since when it waits to be closed; null if it does not."},
    )
    problem = Text(
        required=True,
        allow_none=True,
        metadata={"description": "Why it could not be closed the last time; null if it could."},
    )
    closed_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When it was closed."}
    )
    digest = Text(
        required=True,
        allow_none=True,
        metadata={"description": "SHA-256 over all its balances, in hex; null if not closed."},
    )
    steps = fields.List(
        fields.Nested(StepView),
        required=True,
        metadata={"description": "How it got there, the first step first."},
    )


class ReopeningView(Schema):
    """A wish to reopen a closed month."""

    id = Id(required=True, metadata={"description": "To approve it by."})
    period = Text(required=True, metadata={"description": "The month.", **_AS_MONTH})
    version = Integer(required=True, metadata={"description": "The closing that is to be undone."})
    reason = Text(required=True, metadata={"description": "Why."})
    proposed_by_id = Id(required=True, metadata={"description": "Who asked for it."})
    proposed_at = Timestamp(required=True, metadata={"description": "When."})
    approved_by_id = Id(
        required=True, allow_none=True, metadata={"description": "Who else agreed; null before."}
    )
    approved_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When; null before."}
    )


@periods.get("", guard=_FINANCE, query=Page, answer=paged(PeriodView), transaction="snapshot")
def list_periods(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """List the months from the first that has entries on, the latest first."""
    del caller

    def read(limit: int, after: Position | None) -> Sequence[Standing]:
        before = None if after is None else after[0]
        return [
            period
            for period in closing.list_periods()
            if before is None or period.month.first_on < before
        ][:limit]

    page = page_of(read, query=query, position=lambda period: (period.month.first_on,))
    return {**page, "items": [_told(period) for period in page["items"]]}


@periods.get(
    "/<period>",
    guard=_FINANCE,
    answer=PeriodView,
    transaction="snapshot",
    refusals=(PeriodInvalid,),
)
def get_period(*, caller: OfficeCaller, period: str) -> dict[str, Any]:
    """Read how a month stands."""
    del caller
    return _shown(month_named(period))


@periods.post(
    "/<period>/soft-close",
    guard=_FINANCE,
    answer=PeriodView,
    idempotency="answer",
    refusals=(PeriodInvalid, PeriodNotOver, PeriodOrder, PeriodState),
)
def soft_close_period(*, caller: OfficeCaller, period: str) -> dict[str, Any]:
    """Let only finance book into a month from now on: adjustments, and estimates of breakage.

    The month must be over everywhere, and the months before it soft or closed. What the shops
    still send for it is booked in the first open month, with both dates.
    """
    month = month_named(period)
    closing.soft_close(month=month, by_id=caller.staff_id, now=clock.now())
    return _shown(month)


@periods.post(
    "/<period>/open",
    guard=_FINANCE,
    answer=PeriodView,
    idempotency="answer",
    refusals=(PeriodInvalid, PeriodOrder, PeriodState),
)
def open_period(*, caller: OfficeCaller, period: str) -> dict[str, Any]:
    """Let the shops book into the latest soft month again, if it was never closed."""
    month = month_named(period)
    closing.open_again(month=month, by_id=caller.staff_id, now=clock.now())
    return _shown(month)


@periods.post(
    "/<period>/close",
    guard=_FINANCE,
    answer=PeriodView,
    status=202,
    idempotency="answer",
    refusals=(PeriodInvalid, PeriodOrder, PeriodState),
)
def close_period(*, caller: OfficeCaller, period: str) -> dict[str, Any]:
    """Ask for a soft month to be closed, as soon as a worker gets to it.

    It books breakage, proves the month, and writes its balances. Read the period to see what came
    of it: `state` is `closed`, or `problem` says what does not agree.
    """
    month = month_named(period)
    closing.ask_to_close(month=month, by_id=caller.staff_id, now=clock.now())
    return _shown(month)


@periods.post(
    "/<period>/reopenings",
    guard=_FINANCE,
    body=ReopeningBody,
    answer=ReopeningView,
    status=201,
    idempotency="answer",
    refusals=(PeriodInvalid, PeriodState, ReopeningExists, ReopeningOrder),
)
def propose_reopening(*, caller: OfficeCaller, period: str, body: dict[str, Any]) -> dict[str, Any]:
    """Ask somebody else to let the latest closed month be reopened."""
    wish = reopening.propose(
        month=month_named(period), by_id=caller.staff_id, now=clock.now(), **body
    )
    return _wished(wish)


@reopenings.get("", guard=_FINANCE, query=Page, answer=paged(ReopeningView))
def list_reopenings(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """List the proposals to reopen a month, the latest first."""
    del caller

    def read(limit: int, after: Position | None) -> Sequence[Reopening]:
        wishes = reopening.list_reopenings()
        return [wish for wish in wishes if after is None or wish.id < after[0]][:limit]

    page = page_of(read, query=query, position=lambda wish: (wish.id,))
    return {**page, "items": [_wished(wish) for wish in page["items"]]}


@reopenings.post(
    "/<uuid:reopening_id>/approve",
    guard=_FINANCE,
    answer=ReopeningView,
    idempotency="answer",
    refusals=(NotFound, TwoPeople, ReopeningEnded, ReopeningOrder, PeriodState),
)
def approve_reopening(*, caller: OfficeCaller, reopening_id: UUID) -> dict[str, Any]:
    """Reopen the month that somebody else asked for: it is soft again, as a new version.

    The balances of its earlier versions stay.
    """
    wish = reopening.approve(reopening_id=reopening_id, by_id=caller.staff_id, now=clock.now())
    return _wished(wish)


def _shown(month: Month) -> dict[str, Any]:
    found = (period for period in closing.list_periods() if period.month == month)
    return _told(next(found, _untouched(month)))


def _untouched(month: Month) -> Standing:
    """A month that has begun and that nothing was booked in."""
    return Standing(month, "open", 1, None, None, None, None, ())


def _told(period: Standing) -> dict[str, Any]:
    steps: Sequence[BookMonthStep] = period.steps
    return {
        "period": str(period.month),
        "state": period.state,
        "version": period.version,
        "closing_asked_at": period.closing_asked_at,
        "problem": period.problem,
        "closed_at": period.closed_at,
        "digest": None if period.digest is None else period.digest.hex(),
        "steps": steps,
    }


def _wished(wish: Reopening) -> dict[str, Any]:
    return {
        "id": wish.id,
        "period": str(Month(wish.first_on)),
        "version": wish.version,
        "reason": wish.reason,
        "proposed_by_id": wish.proposed_by_id,
        "proposed_at": wish.proposed_at,
        "approved_by_id": wish.approved_by_id,
        "approved_at": wish.approved_at,
    }
