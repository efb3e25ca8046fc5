"""What a till hears when cups were handed over: as it is given, kept under its key, replayed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from redemption.policy import Taken


@dataclass(frozen=True, slots=True)
class Drink:
    """A drink as the till asked for it, and what it costs today."""

    id: UUID
    code: str
    name: str
    size: str
    list_price: int


@dataclass(frozen=True, slots=True)
class Portion:
    """One drink of a scan: how many cups, what they come from, and how many more there are.

    `left` is None where nobody counts them.
    """

    drink: Drink
    cups: int
    taken: Sequence[Taken]
    left: int | None


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What was handed over, drink by drink, from which lots, and how many cups are left.

    All of it is as JSON has it. `id` is None where nothing was handed over yet (a dry run). The
    `left` of an item counts what the member can still take of this product at this till, and is
    None where that `is_unlimited`; `top_up` is the money that was paid besides. An answer that was
    kept when a scan had one drink says neither its name nor its offer's.
    """

    id: str | None
    store_id: str
    items: list[dict[str, Any]]
    cups: int
    redeemed_at: str
    top_up: dict[str, Any]
    is_replayed: bool = False

    @property
    def taken(self) -> list[dict[str, Any]]:
        """From which lots, of all drinks."""
        return [one for item in self.items for one in item["taken"]]

    @property
    def left(self) -> int | None:
        """What is left for the first of the drinks; mostly there is one."""
        left: int | None = self.items[0]["left"]
        return left

    @property
    def is_unlimited(self) -> bool:
        return self.left is None

    def as_json(self) -> dict[str, Any]:
        """The answer as it is kept."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "is_replayed"}


def answer(
    *,
    redemption_id: UUID | None,
    store_id: UUID,
    portions: Iterable[Portion],
    top_up: int,
    now: datetime,
) -> Redeemed:
    """Tell what was handed over; by no redemption, what would be."""
    portions = list(portions)
    currency = portions[0].taken[0].lot.currency
    return Redeemed(
        id=None if redemption_id is None else str(redemption_id),
        store_id=str(store_id),
        items=[_item(portion, currency) for portion in portions],
        cups=sum(portion.cups for portion in portions),
        redeemed_at=now.isoformat(),
        top_up={"amount": top_up, "currency": currency},
    )


def kept(answer: Mapping[str, Any]) -> Redeemed:
    """Read an answer that was kept, also one from when a scan had one drink."""
    if "items" in answer:
        return Redeemed(**answer, is_replayed=True)
    top_up = answer.get("top_up", {"amount": 0, "currency": "TWD"})
    item = {
        "product_id": answer["product_id"],
        "product": None,
        "cups": answer["cups"],
        "left": answer["left"],
        "is_unlimited": answer.get("is_unlimited", False),
        "taken": [{"name": None, "unit": None, "ends_at": None, **one} for one in answer["taken"]],
        "top_up": top_up,
    }
    same = {name: answer[name] for name in ("id", "store_id", "cups", "redeemed_at")}
    return Redeemed(**same, items=[item], top_up=top_up, is_replayed=True)


def _item(portion: Portion, currency: str) -> dict[str, Any]:
    drink = portion.drink
    return {
        "product_id": str(drink.id),
        "product": {"code": drink.code, "name": drink.name, "size": drink.size},
        "cups": portion.cups,
        "left": portion.left,
        "is_unlimited": portion.left is None,
        "taken": [
            {
                "lot_id": str(pick.lot.id),
                "offer": pick.lot.offer_code,
                "name": pick.lot.name,
                "unit": pick.lot.unit,
                "cups": pick.cups,
                "ends_at": pick.lot.ends_at and pick.lot.ends_at.isoformat(),
            }
            for pick in portion.taken
        ],
        "top_up": {"amount": sum(pick.top_up for pick in portion.taken), "currency": currency},
    }
