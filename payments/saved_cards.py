"""The cards that members let us keep: shown, charged again, forgotten."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, select, update

from kernel.db import db
from kernel.errors import NotFound
from payments.models import Card, Payment


def list_cards(*, member_id: UUID) -> Sequence[Card]:
    """All cards that a member let us keep, the newest first: nobody has many."""
    theirs = select(Card).where(Card.member_id == member_id)
    return db.session.scalars(theirs.order_by(Card.id.desc())).all()


def get_card(*, member_id: UUID, card_id: UUID) -> Card:
    """Answer a saved card of a member.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    card = db.session.get(Card, card_id)
    if card is None or card.member_id != member_id:
        raise NotFound
    return card


def get_card_named(*, member_id: UUID, payment_method: str) -> Card:
    """Answer a saved card of a member by the provider's reference of it.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    theirs = select(Card).where(Card.member_id == member_id, Card.provider_ref == payment_method)
    card = db.session.scalar(theirs)
    if card is None:
        raise NotFound
    return card


def forget_card(*, member_id: UUID, card_id: UUID) -> None:
    """Let go of a card, in the caller's transaction; what it paid stays paid.

    Whatever still needs it keeps it: the database refuses.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    card = get_card(member_id=member_id, card_id=card_id)
    paid = update(Payment).where(Payment.member_id == member_id, Payment.card_id == card.id)
    db.session.execute(paid.values(card_id=None))
    db.session.execute(delete(Card).where(Card.id == card.id))
