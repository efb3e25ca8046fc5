"""Cards with a printed QR: made by a member, or at a till for whoever has no app."""

from base64 import b64encode
from typing import Any

from flask import Response
from marshmallow import fields

import members
import redemption
from api.auth import MemberCaller, TillCaller, member, till
from api.errors import problem_response
from api.fields import Id, Name, Schema, SixDigits, Text, Timestamp
from api.hex_ids import bytes_of
from api.language import language
from api.pictures import PRODUCED, CodeQuery, shown_code
from api.routing import Resource
from api.sign_in import ChallengeBody, ChallengeView
from kernel import clock
from kernel.errors import NotFound, RateLimited, Refusal
from members import CodeWrong, PhoneUnsupported
from members.policy import RESEND_AFTER
from redemption import WalletCard, picture

wallet_cards = Resource(
    "wallet_cards", "/v1/wallet/cards", "Wallet cards: a printed QR that opens one's own wallet."
)
cards_at_tills = Resource(
    "cards_at_tills", "/v1/wallet-cards", "Wallet cards at a till, for whoever has no app."
)


class WalletCardBody(Schema):
    """What to call it."""

    name = Name(
        load_default=None,
        most=60,
        allow_none=True,
        metadata={"description": "To tell it by: whose it is, where it is kept."},
    )


class WalletCardView(Schema):
    """A card and what is printed on it."""

    id = Text(required=True, metadata={"description": "8 bytes in hex."})
    name = Text(required=True, allow_none=True, metadata={"description": "To tell it by."})
    code = Text(required=True, metadata={"description": "The text of its QR; it stays the same."})
    picture = Text(
        required=True,
        most=20_000,
        metadata={
            "description": "Where the QR to print is: a member adds `?format=svg`, `png` or `text`;"
            " a till gets the SVG itself, as a `data:` address."
        },
    )
    issued_at = Timestamp(required=True, metadata={"description": "When it was made."})
    ends_at = Timestamp(required=True, metadata={"description": "A year later."})


class WalletCardsView(Schema):
    """All of them."""

    items = fields.List(
        fields.Nested(WalletCardView), required=True, metadata={"description": "The newest first."}
    )


class CardAtTillBody(Schema):
    """What was read to the clerk."""

    challenge_id = Id(required=True, metadata={"description": "Of the challenge it answers."})
    code = SixDigits(required=True, metadata={"description": "The six digits."})


@wallet_cards.get("", guard=member, answer=WalletCardsView)
def list_wallet_cards(*, caller: MemberCaller) -> dict[str, Any]:
    """List your cards that are good. To end one, revoke it as a credential."""
    found = redemption.list_wallet_cards(member_id=caller.member_id, now=clock.common())
    return {"items": [_shown(card) for card in found]}


@wallet_cards.post(
    "",
    guard=member,
    body=WalletCardBody,
    answer=WalletCardView,
    status=201,
    refusals=(RateLimited,),
)
def issue_wallet_card(*, caller: MemberCaller, body: dict[str, Any]) -> dict[str, Any]:
    """Make a card with a QR that stays the same, to be printed, good for a year.

    Whoever has it can use it, so tills hand over little at a time for one. Of more than two the
    oldest is over. Five within a day.
    """
    made = redemption.issue_wallet_card(member_id=caller.member_id, now=clock.common(), **body)
    return _shown(made)


@wallet_cards.get(
    "/<card>/picture", guard=member, query=CodeQuery, produces=PRODUCED, refusals=(NotFound,)
)
def draw_wallet_card(*, caller: MemberCaller, card: str, query: dict[str, Any]) -> Response:
    """Draw your card's QR."""
    found = redemption.get_wallet_card(
        member_id=caller.member_id, credential_id=bytes_of(card), now=clock.common()
    )
    return shown_code(found.code, query)


@cards_at_tills.post(
    "/challenges",
    guard=till,
    body=ChallengeBody,
    answer=ChallengeView,
    status=201,
    refusals=(PhoneUnsupported, RateLimited),
)
def ask_for_card(*, caller: TillCaller, body: dict[str, Any]) -> dict[str, Any]:
    """Have a code sent to the phone of somebody who wants a card: they read it to the clerk.

    It is good for a card only, and signs nobody in. As often as codes to sign in with, and counted
    together with them.
    """
    del caller  # at any till
    asked = members.challenge(**{"locale": language(), **body}, purpose="card", now=clock.now())
    return {
        "challenge_id": asked.id,
        "ends_at": asked.ends_at,
        "resend_after": asked.sent_at + RESEND_AFTER,
    }


@cards_at_tills.post(
    "",
    guard=till,
    body=CardAtTillBody,
    answer=WalletCardView,
    status=201,
    idempotency="answer",
    refusals=(CodeWrong, RateLimited),
)
def issue_card_at_till(*, caller: TillCaller, body: dict[str, Any]) -> dict[str, Any] | Response:
    """Make a card for whoever has read the code to the clerk. Their earlier cards are over.

    The first time, this makes the member. The till prints the QR, which is not shown to it again.
    """
    del caller  # at any till
    made = redemption.issue_card_at_till(**body, now=clock.common())
    if isinstance(made, Refusal):
        return problem_response(made)  # not raised: the wrong try that it counts is committed
    svg = b64encode(picture.svg(made.code)).decode("ascii")
    return {**_shown(made), "picture": f"data:image/svg+xml;base64,{svg}"}


def _shown(card: WalletCard) -> dict[str, Any]:
    return {
        "id": card.id.hex(),
        "name": card.name,
        "code": card.code,
        "picture": f"/v1/wallet/cards/{card.id.hex()}/picture",
        "issued_at": card.issued_at,
        "ends_at": card.ends_at,
    }
