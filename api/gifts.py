"""Gifts: cups on their way to a friend, by a link."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from marshmallow import fields, validate

import vouchers
from api.auth import MemberCaller, member
from api.fields import Cups, Flag, Id, Integer, Name, Schema, Text, Timestamp
from api.paging import Page, Position, page_of, paged
from api.routing import Resource
from kernel import clock
from kernel.config import config
from kernel.errors import NotFound, RateLimited
from vouchers import (
    GiftClaimed,
    GiftEnded,
    GiftLimit,
    GiftNotFound,
    GivenCupsFrozen,
    GiverBlocked,
    NotGiftable,
    OfferNotNamed,
    TooFewToGive,
)
from vouchers import gift_policy as policy
from vouchers.gift_queries import GiftSeen

gifts = Resource("gifts", "/v1/gifts", "Gifts: cups on their way to a friend, by a link.")
gift_blocks = Resource(
    "gift_blocks", "/v1/gift-blocks", "Blocks: from whom a member wants no gifts."
)

_JOINER = "\u200d"
_STATUSES = ("open", "claimed", "withdrawn", "returned", "refunded", "lost")
_CANNOT_CLAIM = (GiftNotFound, GiftClaimed, GiftEnded, GivenCupsFrozen, RateLimited)


class Message(Name):
    """A few words for people's eyes. Joined emoji are let be, other invisible signs refused."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        if not isinstance(value, str) or _JOINER not in value:
            return super()._deserialize(value, attr, data, **kwargs)
        shown = super()._deserialize(value.replace(_JOINER, ""), attr, data, **kwargs)
        return value.strip() if shown else shown


class GiftBody(Schema):
    """What to give."""

    offer_id = Id(
        load_default=None,
        metadata={"description": "Of which pack or plan; may be left out if only one is held."},
    )
    lot_id = Id(
        load_default=None,
        metadata={"description": "Of which lot. Bonus cups with an end of their own need it."},
    )
    cups = Cups(required=True, metadata={"description": "How many."})
    message = Message(
        load_default=None,
        most=policy.MESSAGE_LENGTH,
        metadata={"description": "Shown to whoever opens the link."},
    )
    days = Integer(
        least=1,
        most=policy.MOST_DAYS,
        load_default=policy.DAYS,
        metadata={"description": "How long it can be claimed; the cups' own end may be sooner."},
    )


class DeclineBody(Schema):
    """Whether to hear from this giver again."""

    block = Flag(
        load_default=False,
        metadata={"description": "Take no gift from this member again, and give none to them."},
    )


class GiftView(Schema):
    """A gift, as the caller sees it."""

    id = Id(required=True, metadata={"description": "Opaque."})
    side = Text(
        required=True,
        validate=validate.OneOf(("given", "received", "offered")),
        metadata={"description": "`offered`: the caller has its link."},
    )
    status = Text(
        required=True,
        validate=validate.OneOf(_STATUSES),
        metadata={
            "description": "`returned`: declined, or not claimed in time; `refunded`: not claimed,"
            " and its money went to its payer; `lost`: its payment was taken back."
        },
    )
    is_frozen = fields.Boolean(
        required=True, metadata={"description": "Whether a disputed payment holds it back."}
    )
    offer_id = Id(required=True, metadata={"description": "Of which pack or plan it is."})
    offer = Text(required=True, metadata={"description": "The code of that."})
    name = Text(required=True, metadata={"description": "Its name, on the terms it was sold on."})
    cups = Integer(required=True, metadata={"description": "How many."})
    given_at = Timestamp(required=True, metadata={"description": "When they left the giver."})
    ends_at = Timestamp(required=True, metadata={"description": "Until when to claim it."})
    closed_at = Timestamp(
        required=True,
        allow_none=True,
        metadata={"description": "When it was claimed or went back; null before."},
    )


class WholeGiftView(GiftView):
    """A gift with what is in its link."""

    message = Text(
        required=True, allow_none=True, metadata={"description": "What the giver wrote."}
    )
    token = Text(
        required=True,
        allow_none=True,
        metadata={"description": "What claims it. Only for its giver, while it is open."},
    )
    link = Text(
        required=True,
        allow_none=True,
        metadata={"description": "The token as an address to share."},
    )


class ReceivedLotView(Schema):
    """Cups of a gift that are in the claimer's wallet now."""

    id = Id(required=True, metadata={"description": "The lot's id."})
    cups = Integer(
        required=True, attribute="units", metadata={"description": "How many it brought."}
    )
    ends_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When they end; null for never."}
    )


class ClaimView(Schema):
    """What a claim brought."""

    gift_id = Id(required=True, metadata={"description": "The gift."})
    outcome = Text(
        required=True,
        validate=validate.OneOf(("claimed", "taken_back")),
        metadata={"description": "`taken_back`: it was the caller's own gift; its cups are back."},
    )
    cups = Integer(required=True, metadata={"description": "How many."})
    lots = fields.List(
        fields.Nested(ReceivedLotView),
        required=True,
        metadata={"description": "Where they are; empty if they went back."},
    )


class BlockView(Schema):
    """Somebody from whom no gifts are wanted. Who it is, is not told."""

    id = Id(required=True, metadata={"description": "Opaque."})
    blocked_at = Timestamp(required=True, metadata={"description": "Since when."})


@gifts.post(
    "",
    guard=member,
    body=GiftBody,
    answer=WholeGiftView,
    status=201,
    idempotency="answer",
    refusals=(
        NotFound,
        OfferNotNamed,
        TooFewToGive,
        NotGiftable,
        GivenCupsFrozen,
        GiverBlocked,
        GiftLimit,
    ),
)
def give(*, caller: MemberCaller, body: dict[str, Any]) -> dict[str, Any]:
    """Give cups by a link.

    They leave the wallet at once: those that end soonest, then those bought first. Whoever is
    signed in and has the link may claim them, once.
    """
    gift = vouchers.give(giver_id=caller.member_id, now=clock.now(), **body)
    return _shown(vouchers.see_gift(member_id=caller.member_id, gift_id=gift.id))


@gifts.get("", guard=member, query=Page, answer=paged(GiftView))
def list_gifts(*, caller: MemberCaller, query: dict[str, Any]) -> dict[str, Any]:
    """List the gifts that you gave and received, the newest first."""

    def read(limit: int, after: Position | None) -> Any:
        before = None if after is None else after[0]
        return vouchers.list_gifts(member_id=caller.member_id, before=before, limit=limit)

    return page_of(read, query=query, position=lambda gift: (gift.id,))


@gifts.get("/<gift>", guard=member, answer=WholeGiftView, refusals=(GiftNotFound, RateLimited))
def show_gift(*, caller: MemberCaller, gift: str) -> dict[str, Any]:
    """Show a gift, by the token of its link or, if you gave or received it, by its id.

    What is unknown, made up, claimed by others or over looks the same: it is not found.
    """
    gift_id = _find_id(gift)
    if gift_id is not None:
        return _shown(vouchers.see_gift(member_id=caller.member_id, gift_id=gift_id))
    seen = vouchers.see_link(member_id=caller.member_id, token=gift, now=clock.now())
    return _shown(seen)


@gifts.delete(
    "/<gift>",
    guard=member,
    answer=WholeGiftView,
    refusals=(GiftNotFound, GiftClaimed, GiftEnded, GivenCupsFrozen),
)
def withdraw_gift(*, caller: MemberCaller, gift: str) -> dict[str, Any]:
    """Take back a gift of yours that nobody has claimed, by its id: its cups return to their lots.

    Once more changes nothing.
    """
    gift_id = _find_id(gift)
    if gift_id is None:
        raise GiftNotFound
    vouchers.withdraw(giver_id=caller.member_id, gift_id=gift_id, now=clock.now())
    return _shown(vouchers.see_gift(member_id=caller.member_id, gift_id=gift_id))


@gifts.post(
    "/<token>/claim",
    guard=member,
    answer=ClaimView,
    idempotency="answer",
    refusals=_CANNOT_CLAIM,
)
def claim_gift(*, caller: MemberCaller, token: str) -> dict[str, Any]:
    """Claim a gift: its cups are yours, with the end that they had. Your own one is taken back."""
    claimed = vouchers.claim(member_id=caller.member_id, token=token, now=clock.now())
    return {
        "gift_id": claimed.gift.id,
        "outcome": "taken_back" if claimed.is_taken_back else "claimed",
        "cups": claimed.gift.cups,
        "lots": claimed.lots,
    }


@gifts.post(
    "/<token>/decline",
    guard=member,
    body=DeclineBody,
    status=204,
    idempotency="answer",
    refusals=_CANNOT_CLAIM,
)
def decline_gift(*, caller: MemberCaller, token: str, body: dict[str, Any]) -> None:
    """Send a gift back to its giver at once, and if you like take nothing from them again."""
    vouchers.decline(member_id=caller.member_id, token=token, now=clock.now(), **body)


@gift_blocks.get("", guard=member, query=Page, answer=paged(BlockView))
def list_gift_blocks(*, caller: MemberCaller, query: dict[str, Any]) -> dict[str, Any]:
    """List your blocks, the newest first."""

    def read(limit: int, after: Position | None) -> Any:
        position = None if after is None else (after[0], after[1])
        return vouchers.list_blocks(member_id=caller.member_id, limit=limit, after=position)

    return page_of(read, query=query, position=lambda block: (block.blocked_at, block.id))


@gift_blocks.delete("/<uuid:block_id>", guard=member, status=204, refusals=(NotFound,))
def lift_gift_block(*, caller: MemberCaller, block_id: UUID) -> None:
    """Lift a block: gifts may go both ways again."""
    vouchers.unblock(member_id=caller.member_id, block_id=block_id)


def _find_id(gift: str) -> UUID | None:
    """The id, where that is what stands in the address; a token never looks like one."""
    try:
        return UUID(gift) if "-" in gift and len(gift) == _ID_LENGTH else None
    except ValueError:
        return None


_ID_LENGTH = 36


def _shown(seen: GiftSeen) -> dict[str, Any]:
    told = {name: getattr(seen, name) for name in GiftSeen.__slots__}
    link = None if seen.token is None else f"{config().public_origin}/g/{seen.token}"
    return {**told, "link": link}
