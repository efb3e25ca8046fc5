"""How many cups a code is good for, whatever the wallet holds. Pure.

What is stolen easily gives little: a card, which anybody can photograph; a phone that is new; many
cups at once, which a relayed code could take.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from redemption.errors import ApprovalNeeded, LimitReached, StoreNotAccepted
from redemption.token import Code

CARD_CUPS_A_SCAN = 2
CARD_CUPS_A_DAY = 4
PHONE_IS_NEW = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Caution:
    """The chain's own bounds. 0 is none.

    From `approval_from` cups on a scan wants the member's approval, and so does more than
    `new_phone_cups` with a phone in its first day.
    """

    approval_from: int
    new_phone_cups: int


@dataclass(frozen=True, slots=True)
class Use:
    """A shown code, and what was collected with it: within its life so far, and today.

    `is_new_phone` says whether it is of a phone in its first day, `capsule_cups` how many cups it
    is good for where it is a capsule's, and `approved` to how many at a time the member agreed.
    """

    code: Code
    cups: int
    cups_today: int
    approved: int
    is_new_phone: bool
    capsule_cups: int | None


def check_use(
    use: Use, *, cups: int, store_group: int, caution: Caution, next_day_at: datetime
) -> None:
    """Let so many cups pass for a code, at a store of this group.

    Raises:
        StoreNotAccepted: a capsule is of another group of stores.
        LimitReached: a card or a capsule gives no more, now or at all: how many it still gives.
        ApprovalNeeded: the member has to agree first.
    """
    if use.code.sealed is not None and use.code.sealed.store_group != store_group:
        raise StoreNotAccepted
    limit = limit_of(use, next_day_at=next_day_at)
    if limit is not None and limit.allowed < cups:
        raise limit.reached(wanted=cups)
    free = min(_free(use, caution), default=cups)
    if max(free, use.approved) < cups:
        raise ApprovalNeeded(free=max(0, free), wanted=cups)


@dataclass(frozen=True, slots=True)
class Limit:
    """One that no approval lifts: the cups that it allows now, and when there are more."""

    name: str
    allowed: int
    next_at: datetime | None = None

    def reached(self, *, wanted: int) -> LimitReached:
        return LimitReached(
            limit=self.name,
            allowed=max(0, self.allowed),
            wanted=wanted,
            next_at=self.next_at and self.next_at.isoformat(),
        )


def limit_of(use: Use, *, next_day_at: datetime) -> Limit | None:
    """The limit of a code that leaves least now; None where it has none."""
    return min(_limits(use, next_day_at), key=lambda one: one.allowed, default=None)


def _limits(use: Use, next_day_at: datetime) -> Iterator[Limit]:
    """Of two that allow as many, first the one that waiting does not lift."""
    if use.code.kind == "card":
        yield Limit("card_per_scan", CARD_CUPS_A_SCAN)
        yield Limit("card_per_day", CARD_CUPS_A_DAY - use.cups_today, next_day_at)
    if use.capsule_cups is not None:
        yield Limit("capsule", use.capsule_cups - use.cups)


def _free(use: Use, caution: Caution) -> Iterator[int]:
    """How many cups need no approval, by each of the chain's bounds."""
    if caution.approval_from:
        yield caution.approval_from - 1
    if caution.new_phone_cups and use.is_new_phone:
        yield caution.new_phone_cups - use.cups
