"""All that a decision needs, as the one reading brings it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg.rows import TupleRow

from kernel import hot
from kernel.errors import Unauthenticated
from redemption import statements
from redemption.answer import Drink
from redemption.policy import HeldLot

_TILL_COLUMNS = 27
_DRINK_COLUMNS = 5
_LOT_AT = _TILL_COLUMNS + _DRINK_COLUMNS


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything about till, key, wallet and lots, as of one moment.

    A drink that the chain does not sell is in `drinks` and `lots` not at all. `credential_kind` and
    what follows is of the shown code: `capsule_cups` where it is a capsule's; `cups_lately` were
    collected with it within two days, of those `cups_today` on the store's business day, for kinds
    that are bounded. The rest stands in the reading's order.
    """

    drinks: dict[UUID, Drink]
    lots: dict[UUID, list[HeldLot]]
    device_id: UUID
    store_id: UUID
    channel: str
    public_key: bytes | None
    profile: str
    staff_id: UUID
    own_member_id: UUID | None
    today_on: date
    business_day: date
    next_day_at: datetime
    offline_group: int
    time_zone: str
    known_fingerprint: bytes | None
    known_answer: dict[str, Any] | None
    wrong_codes: int
    member_id: UUID | None
    version: int | None
    blocked_at: datetime | None
    is_token_used: bool
    holder_id: UUID | None
    shared_plan_id: UUID | None
    credential_kind: str | None
    approved_cups: int | None
    phone_since: datetime | None
    capsule_cups: int | None
    cups_lately: int
    cups_today: int


def see(read: hot.Run, statement: str, asked: dict[str, Any]) -> Seen:
    """Read it by one of the statements of `redemption.reading`: a row for each drink and lot.

    Raises:
        Unauthenticated: the shift is unknown or over, or its device or clerk no longer works.
    """
    rows = read(statement, asked)
    if not rows:
        raise Unauthenticated
    drinks, lots = _drinks_and_lots(rows)
    seen = Seen(drinks, lots, *rows[0][:_TILL_COLUMNS])
    return seen if _has_place(read, seen) else replace(seen, member_id=None)


def _drinks_and_lots(
    rows: Sequence[TupleRow],
) -> tuple[dict[UUID, Drink], dict[UUID, list[HeldLot]]]:
    drinks: dict[UUID, Drink] = {}
    lots: dict[UUID, list[HeldLot]] = {}
    for row in rows:
        drink_id = row[_TILL_COLUMNS]
        if drink_id is None:
            continue
        if drink_id not in drinks:
            drinks[drink_id] = Drink(*row[_TILL_COLUMNS:_LOT_AT])
            lots[drink_id] = []
        if row[_LOT_AT] is not None:
            lots[drink_id].append(HeldLot(*row[_LOT_AT:]))
    return drinks, lots


def _has_place(read: hot.Run, seen: Seen) -> bool:
    """Whether a code of a shared plan is of somebody who shares it; others show their own."""
    if seen.holder_id is None:
        return True
    shared = {"subscription_id": seen.shared_plan_id, "holder_id": seen.holder_id}
    return bool(read(statements.PLACE, shared))
