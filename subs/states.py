"""The states of a subscription, and which may follow which, for what cause. Pure.

The picture of it is `docs/subscription.svg`. Who changes a state asks `subs.service.history.move`,
which asks here; nobody else writes one.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

BEGINNING: Final = None

TRANSITIONS: Final[Mapping[tuple[str | None, str], frozenset[str]]] = MappingProxyType(
    {
        (BEGINNING, "trialing"): frozenset({"trial_started"}),
        (BEGINNING, "active"): frozenset({"started", "gift_started"}),
        ("trialing", "active"): frozenset({"trial_converted"}),
        ("trialing", "past_due"): frozenset({"renewal_failed"}),
        ("trialing", "cancelled"): frozenset({"cancelled", "disputed"}),
        ("trialing", "lapsed"): frozenset({"trial_not_continued"}),
        ("active", "past_due"): frozenset({"renewal_failed"}),
        ("active", "paused"): frozenset({"paused"}),
        ("active", "cancelled"): frozenset({"cancelled", "disputed"}),
        ("active", "lapsed"): frozenset({"gift_used_up"}),
        ("past_due", "active"): frozenset({"recovered"}),
        ("past_due", "cancelled"): frozenset({"cancelled", "disputed"}),
        ("past_due", "lapsed"): frozenset({"not_paid"}),
        ("paused", "active"): frozenset({"resumed"}),
        ("paused", "past_due"): frozenset({"renewal_failed"}),
        ("paused", "cancelled"): frozenset({"cancelled", "disputed"}),
    }
)
"""What may cause which change. A dispute that a bank decides for its holder ends every plan."""

REMARKS: Final = frozenset(
    {
        "renewed",
        "days_let_go",
        "attempt_failed",
        "authentication_asked",
        "card_changed",
        "cancel_asked",
        "cancel_withdrawn",
        "pause_asked",
        "pause_withdrawn",
        "resume_asked",
        "change_asked",
        "change_withdrawn",
        "change_declined",
        "change_not_paid",
        "changed",
        "migrated",
        "late_payment_returned",
        "carried_over",
        "sharer_joined",
        "sharer_left",
    }
)
"""What is told in the history though the state stays as it is."""


class TransitionError(RuntimeError):
    """A verb wanted a change of state that there is not: a defect of ours, never of a caller."""


def check(*, before: str | None, after: str, cause: str) -> None:
    """Let a change pass that the table knows.

    Raises:
        TransitionError: it does not know it.
    """
    if cause not in TRANSITIONS.get((before, after), frozenset()):
        raise TransitionError(f"{before} → {after} because of {cause}")


def check_remark(cause: str) -> None:
    """Let a remark pass that is known.

    Raises:
        TransitionError: it is not.
    """
    if cause not in REMARKS:
        raise TransitionError(cause)
