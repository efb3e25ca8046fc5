"""Which cups are given, and until when they can be claimed. Pure rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from vouchers.gift_errors import (
    GivenCupsFrozen,
    NotGiftable,
    OfferNotNamed,
    TooFewToGive,
)

MOST_DAYS = 30
DAYS = 7
MOST_OPEN = 20
MOST_A_DAY = 50
MESSAGE_LENGTH = 200

REMIND_BEFORE = timedelta(days=1)

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Giveable:
    """A lot with cups left, as far as giving asks."""

    lot_id: UUID
    offer_id: UUID
    left: int
    sold_at: datetime
    ends_at: datetime | None
    is_frozen: bool
    is_giftable: bool


@dataclass(frozen=True, slots=True)
class Pick:
    """So many cups of a lot."""

    lot_id: UUID
    cups: int


def picks(lots: Sequence[Giveable], cups: int) -> list[Pick]:
    """Choose the cups of a gift: the soonest to end first, then the oldest sale, then the lot's id.

    All of `lots` may be taken from, unless frozen or not giftable; they are alive and, for one
    gift, of one offer.

    Raises:
        OfferNotNamed: they are of several offers.
        NotGiftable: enough are held, but too many of them may not be given; or none of them may.
        GivenCupsFrozen: enough are held, but too many of them are frozen.
        TooFewToGive: fewer are held.
    """
    if len({lot.offer_id for lot in lots if lot.is_giftable}) > 1:
        raise OfferNotNamed
    _refuse_too_few(lots, cups)
    picked, missing = [], cups
    for lot in sorted(filter(_can_be_given, lots), key=_burning):
        taken = min(lot.left, missing)
        picked.append(Pick(lot.lot_id, taken))
        missing -= taken
        if not missing:
            break
    return picked


def ends_at(*, given_at: datetime, days: int, lots_end_at: Sequence[datetime | None]) -> datetime:
    """Until when a gift can be claimed: never beyond the end of its cups."""
    wanted = given_at + timedelta(days=days)
    return min([wanted, *(end for end in lots_end_at if end is not None)])


def first_due_at(*, given_at: datetime, ends_at: datetime) -> datetime:
    """When something is to be done about an open gift: a reminder a day ahead, or its end."""
    remind_at = ends_at - REMIND_BEFORE
    return remind_at if remind_at > given_at else ends_at


def _refuse_too_few(lots: Sequence[Giveable], cups: int) -> None:
    held = sum(lot.left for lot in lots if _can_be_given(lot))
    if held >= cups:
        return
    giftable = sum(lot.left for lot in lots if lot.is_giftable)
    if giftable >= cups:
        raise GivenCupsFrozen
    if sum(lot.left for lot in lots) >= cups or (lots and not giftable):
        raise NotGiftable
    raise TooFewToGive(held=held, wanted=cups)


def _can_be_given(lot: Giveable) -> bool:
    return lot.is_giftable and not lot.is_frozen


def _burning(lot: Giveable) -> tuple[datetime, datetime, UUID]:
    return (lot.ends_at or _NEVER, lot.sold_at, lot.lot_id)
