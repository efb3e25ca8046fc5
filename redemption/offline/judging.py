"""Whether an item of a till's log may be settled at all, or is for a person to look at. Pure.

Each rule looks at the item, at what the chain knows of its device, capsule and clerk, and at the
items before and after it in the log. None looks at what the wallet holds: that is `settling`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from redemption.offline.log import FIRST, Item
from redemption.token.code import Code, Sealed

SKEW = timedelta(minutes=10)
"""So far a till's clock may be off, and what a phone has shown be from another moment."""
LATEST = timedelta(hours=72)
"""So long after it was served an item is settled by itself."""
_STEP_S = 15


@dataclass(frozen=True, slots=True)
class Known:
    """What the chain knows of an item when it arrives.

    `capsule_*` of its capsule, if there is one; `has_mate` is whether the log has another item of
    the same number, `is_broken` whether the number before has another hash than the one it names.
    `is_key_replaced`: the device was enrolled again, with another key than signed this.
    """

    store_group: int
    revoked_at: datetime | None
    is_key_replaced: bool
    has_mate: bool
    is_broken: bool
    member_id: UUID | None
    capsule_issued_at: datetime | None
    capsule_ends_at: datetime | None
    capsule_revoked_at: datetime | None
    blocked_at: datetime | None
    is_product: bool
    is_staff: bool
    own_member_id: UUID | None


def judge(item: Item, code: Code | None, known: Known, *, now: datetime) -> str | None:
    """Name the first reason for which a person has to look at an item; None where there is none.

    The order says what is told of an item with several: first who may have written it at all, then
    what puts the log in doubt.
    """
    return next((reason for reason, holds in _RULES if holds(item, code, known, now)), None)


def is_quarantined(known: Known, *, now: datetime) -> bool:
    """Whether anybody may have written an item. Such a one is kept, and changes no other.

    Whatever it says about when: who has a stolen till, or a key that was replaced, can write any
    time, and any number, into its log.
    """
    return known.is_key_replaced or _is_of_revoked(known, now)


def sealed_in(code: Code | None) -> Sealed | None:
    """What the chain signed in a capsule, if this is one, and shown by the phone that has it."""
    return code.sealed if code is not None and code.is_genuine else None


_Rule = Callable[[Item, Code | None, Known, datetime], bool]


def _is_of_revoked(known: Known, now: datetime) -> bool:
    return known.revoked_at is not None and known.revoked_at <= now


def _is_broken(item: Item, _code: Code | None, known: Known, _now: datetime) -> bool:
    return known.is_broken or (item.number == 1 and item.previous_hash != FIRST)


def _is_skewed(item: Item, code: Code | None, known: Known, now: datetime) -> bool:
    sealed = sealed_in(code)
    if item.at > now + SKEW:
        return True
    if known.capsule_issued_at is not None and item.at < known.capsule_issued_at - SKEW:
        return True
    shown = 0 if sealed is None else sealed.step * _STEP_S
    return sealed is not None and abs(item.at.timestamp() - shown) > SKEW.total_seconds()


def _is_revoked(item: Item, _code: Code | None, known: Known, _now: datetime) -> bool:
    at = known.capsule_revoked_at
    return at is not None and at <= item.at


def _is_of_another_group(_item: Item, code: Code | None, known: Known, _now: datetime) -> bool:
    sealed = sealed_in(code)
    return sealed is not None and sealed.store_group != known.store_group


def _is_own(_item: Item, _code: Code | None, known: Known, _now: datetime) -> bool:
    return known.own_member_id is not None and known.own_member_id == known.member_id


_RULES: tuple[tuple[str, _Rule], ...] = (
    ("device-revoked", lambda _i, _c, known, now: _is_of_revoked(known, now)),
    ("key-replaced", lambda _i, _c, known, _n: known.is_key_replaced),
    ("number-reused", lambda _i, _c, known, _n: known.has_mate),
    ("chain-broken", _is_broken),
    ("capsule-invalid", lambda _i, code, _k, _n: sealed_in(code) is None),
    ("capsule-unknown", lambda _i, _c, known, _n: known.member_id is None),
    ("clock-skew", _is_skewed),
    ("too-old", lambda item, _c, _k, now: item.at < now - LATEST),
    ("capsule-revoked", _is_revoked),
    (
        "capsule-expired",
        lambda item, _c, known, _n: bool(
            known.capsule_ends_at and known.capsule_ends_at <= item.at
        ),
    ),
    ("other-store-group", _is_of_another_group),
    ("unknown-product", lambda _i, _c, known, _n: not known.is_product),
    ("unknown-staff", lambda _i, _c, known, _n: not known.is_staff),
    ("own-wallet", _is_own),
    ("wallet-blocked", lambda _i, _c, known, _n: known.blocked_at is not None),
    ("top-up-collected", lambda item, _c, _k, _n: item.top_up > 0),
)

REASONS = tuple(reason for reason, _ in _RULES)
"""All for which nothing is taken until a person has looked."""
