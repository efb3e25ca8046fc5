"""The cards that a member lets us keep."""

from typing import Any
from uuid import UUID

from marshmallow import fields

import payments
import subs
from api.auth import MemberCaller, member
from api.fields import Id, Schema, Text, Timestamp
from api.routing import Resource
from kernel.errors import NotFound
from subs import CardInUse

cards = Resource("cards", "/v1/cards", "Cards: those that a member lets us keep.")


class CardView(Schema):
    """A saved card, as its holder recognises it."""

    id = Id(required=True, metadata={"description": "To pay with it, or to forget it."})
    brand = Text(required=True, metadata={"description": "Whose card it is, as `visa`."})
    last4 = Text(required=True, metadata={"description": "The last four digits."})
    saved_at = Timestamp(required=True, metadata={"description": "Since when it is kept."})


class CardsView(Schema):
    """All of them."""

    items = fields.List(
        fields.Nested(CardView), required=True, metadata={"description": "The newest first."}
    )


@cards.get("", guard=member, answer=CardsView)
def list_cards(*, caller: MemberCaller) -> dict[str, Any]:
    """List your saved cards."""
    return {"items": payments.list_cards(member_id=caller.member_id)}


@cards.delete("/<uuid:card_id>", guard=member, status=204, refusals=(NotFound, CardInUse))
def forget_card(*, caller: MemberCaller, card_id: UUID) -> None:
    """Have a saved card forgotten.

    Refused while a subscription is renewed with it: give that another card first.
    """
    subs.forget_card(member_id=caller.member_id, card_id=card_id)
