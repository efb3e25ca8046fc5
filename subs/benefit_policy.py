"""What a paid period gives, and until when it is good. Pure rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from subs import policy
from subs.policy import Every, Span


@dataclass(frozen=True, slots=True)
class Terms:
    """Of a plan's terms, those that say what its periods give. `grants` is how often in each."""

    cups: int
    is_unlimited: bool
    trial_cups: int
    carry_over: str
    carry_over_cap: int | None
    grace_days: int
    benefits_in_grace: bool
    grants: Every | None

    @property
    def outlasts(self) -> bool:
        """Whether what a period gives may still be there when the next one is paid."""
        return self.benefits_in_grace or self.carry_over != "none"


@dataclass(frozen=True, slots=True)
class Left:
    """Cups that a lot still holds when the next period is granted. Frozen ones do not lapse."""

    lot_id: UUID
    cups: int
    is_frozen: bool = False


@dataclass(frozen=True, slots=True)
class Leaving:
    """So many cups of a lot that do not go along into the next period."""

    lot_id: UUID
    cups: int


def cups_in(terms: Terms, *, number: int) -> int | None:
    """The cups of one grant of a period (a trial has its own); None: nobody counts them."""
    if terms.is_unlimited or terms.cups == 0:
        return None
    return terms.trial_cups if number == 0 else terms.cups


def span_of(period: Span, *, paid_at: datetime) -> Span:
    """When a period's benefits are good: while it runs.

    One that was paid when it was over already, after an outage of ours, gives what it would have
    given, from then on for as long: nobody pays for cups that have ended before they came.
    """
    if paid_at < period.ends_at:
        return period
    return Span(paid_at, paid_at + (period.ends_at - period.starts_at))


def grant_time(span: Span, *, time_zone: str, grants: Every, ordinal: int) -> datetime | None:
    """When the cups of a period are granted for the n-th time; None: it is over by then."""
    granted = policy.period_span(
        anchor_at=span.starts_at, time_zone=time_zone, every=grants, number=ordinal
    )
    return granted.starts_at if granted.starts_at < span.ends_at else None


def good_until(terms: Terms, span: Span, *, next_grant_at: datetime | None) -> datetime:
    """When a lot of a period ends.

    With the period, or with its grace where it outlasts that. Cups that are granted again within
    the period end when they are, unless they are carried over.
    """
    if next_grant_at is not None and terms.carry_over == "none":
        return next_grant_at
    return span.ends_at + timedelta(days=terms.grace_days if terms.outlasts else 0)


def not_carried(left: Sequence[Left], *, cap: int | None) -> list[Leaving]:
    """Which of the unused cups, in the order in which they end, lapse where only `cap` are carried.

    The first ones do. Frozen ones count, but wait with their end for what froze them.
    """
    excess = 0 if cap is None else sum(lot.cups for lot in left) - cap
    leaving = []
    for lot in left:
        cups = 0 if lot.is_frozen else min(lot.cups, excess)
        if cups > 0:
            leaving.append(Leaving(lot.lot_id, cups))
            excess -= cups
    return leaving
