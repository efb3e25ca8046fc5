"""Members as the provider's customers, and the cards that they let us keep."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from kernel.db import db
from kernel.errors import Unavailable
from kernel.ids import new_id
from kernel.transaction import again, transaction
from payments import policy
from payments.errors import CardDeclined, CardNeedsAuthentication, NoAnswer
from payments.gateway import SeenCard, Setup, cards
from payments.models import Card, Customer


def customer_of(member_id: UUID) -> str:
    """The member's customer at the provider, made at the first need. No transaction is open.

    Raises:
        NoAnswer: the provider is silent; asking again makes no second one.
    """
    known = again(lambda: _find_customer(member_id))
    if known is not None:
        return known
    made = cards().make_customer(member_id=member_id)
    return again(lambda: _keep_customer(member_id, made))


def save_card(*, member_id: UUID, payment_method: str, now: datetime) -> Card:
    """Save a card for charges off session, without a charge now. No transaction is open.

    Safe to repeat: one payment method is one card.

    Raises:
        CardDeclined: the issuer refuses it.
        CardNeedsAuthentication: its holder must authenticate; it is saved once that is heard of.
        Unavailable: the provider is silent; ask again.
    """
    setup = _set_up(member_id, payment_method)
    if setup.status == "requires_action":
        raise CardNeedsAuthentication(client_secret=setup.client_secret)
    if setup.card is None or setup.status == "failed":
        raise CardDeclined(decline_code=policy.told(setup.failure))
    card = setup.card
    return again(lambda: _keep_in_transaction(member_id, card, now))


def keep_card(*, member_id: UUID, seen: SeenCard, now: datetime) -> Card:
    """Write down a card that the provider keeps for a member, once, in the caller's transaction."""
    row = insert(Card).values(
        id=new_id(),
        member_id=member_id,
        provider_ref=seen.ref,
        brand=seen.brand,
        last4=seen.last4,
        saved_at=now,
    )
    db.session.execute(row.on_conflict_do_nothing(constraint="uq_card_saved_once"))
    kept = select(Card).where(Card.member_id == member_id, Card.provider_ref == seen.ref)
    return db.session.scalars(kept).one()


def _set_up(member_id: UUID, payment_method: str) -> Setup:
    try:
        customer_ref = customer_of(member_id)
        return cards().set_up_card(customer_ref=customer_ref, method_ref=payment_method)
    except NoAnswer as silence:
        raise Unavailable from silence


def _keep_in_transaction(member_id: UUID, seen: SeenCard, now: datetime) -> Card:
    with transaction():
        return keep_card(member_id=member_id, seen=seen, now=now)


def _find_customer(member_id: UUID) -> str | None:
    with transaction():
        known = select(Customer.provider_ref).where(Customer.member_id == member_id)
        return db.session.scalar(known)


def _keep_customer(member_id: UUID, provider_ref: str) -> str:
    with transaction():
        row = insert(Customer).values(member_id=member_id, provider_ref=provider_ref)
        # Of racers with the same customer, one may be stopped by either of the two unique keys.
        db.session.execute(row.on_conflict_do_nothing())
        known = select(Customer.provider_ref).where(Customer.member_id == member_id)
        return db.session.scalars(known).one()
