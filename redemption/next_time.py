"""When there are more cups, told to a till that is refused now."""

from datetime import datetime
from zoneinfo import ZoneInfo

from kernel import hot
from kernel.errors import Refusal
from kernel.hot import array
from redemption.deciding import is_held
from redemption.errors import InsufficientCups, LimitReached, ProductMismatch
from redemption.reading import NEXT_CUPS
from redemption.scan import Asked, Scan
from redemption.seen import Seen


def with_time(read: hot.Run, seen: Seen, scan: Scan, refusal: Refusal, now: datetime) -> Refusal:
    """Say when there are more, by the store's clock."""
    if isinstance(refusal, InsufficientCups | ProductMismatch):
        refusal = _of_plan(read, seen, scan, refusal, now)
    if isinstance(refusal, LimitReached):
        _end_with_what_is_held(read, seen, scan, refusal, now)
    if next_at := refusal.facts.get("next_at"):
        here = datetime.fromisoformat(next_at).astimezone(ZoneInfo(seen.time_zone))
        refusal.facts["next_at"] = here.isoformat()
    return refusal


def _of_plan(read: hot.Run, seen: Seen, scan: Scan, refusal: Refusal, now: datetime) -> Refusal:
    """Where there are too few cups, add when a plan of the member gives the next, if one does.

    A plan that is used up holds nothing, so beside other packs its drink seems to be for none of
    them: it is for the plan, which has no cup now.
    """
    next_at = _next_of_plan(read, seen, scan, refusal, now)
    if next_at is None:
        return refusal
    if isinstance(refusal, ProductMismatch):
        wanted = sum(one.cups for one in _short(scan, refusal))
        refusal = InsufficientCups(held=0, wanted=wanted, **refusal.facts)
    refusal.facts["next_at"] = next_at.isoformat()
    return refusal


def _end_with_what_is_held(
    read: hot.Run, seen: Seen, scan: Scan, refusal: LimitReached, now: datetime
) -> None:
    """A limit that lifts when all that is held has ended lifts for what a plan gives then, if any.

    The refusal tells the later of both moments, or none.
    """
    if refusal.facts["next_at"] is None:
        return
    lifts_at = datetime.fromisoformat(refusal.facts["next_at"])
    if any(is_held(seen, one, at=lifts_at) for one in _short(scan, refusal)):
        return
    given_at = _next_of_plan(read, seen, scan, refusal, now)
    refusal.facts["next_at"] = given_at and max(given_at, lifts_at).isoformat()


def _next_of_plan(
    read: hot.Run, seen: Seen, scan: Scan, refusal: Refusal, now: datetime
) -> datetime | None:
    asked = {
        "member_id": seen.member_id,
        "subscription_id": seen.shared_plan_id,
        "product_ids": array(one.product_id for one in _short(scan, refusal)),
        "now": now,
    }
    next_at: datetime | None
    ((next_at,),) = read(NEXT_CUPS, asked)
    return next_at


def _short(scan: Scan, refusal: Refusal) -> list[Asked]:
    """The drink that cannot be had, or all of them together."""
    product_id = refusal.facts.get("product_id")
    return [one for one in scan.items if product_id in (None, str(one.product_id))]
