"""What this room holds about a member. What opens a payment at the provider stays here."""

from uuid import UUID

from sqlalchemy import select

from members.holding import Rows, holds, rows_of
from payments.models import Card, Customer, Dispute, Payment, Repayment


@holds("customers", tables=("customer",))
def customers(member_id: UUID) -> Rows:
    """Under which reference the payment provider knows them."""
    return rows_of(
        select(Customer.provider_ref.label("reference")).where(Customer.member_id == member_id)
    )


@holds("cards", tables=("card",))
def cards(member_id: UUID) -> Rows:
    """Their saved cards, as far as they are known here."""
    return rows_of(
        select(Card.id, Card.brand, Card.last4, Card.saved_at)
        .where(Card.member_id == member_id)
        .order_by(Card.id)
    )


@holds("payments", tables=("payment",))
def payments(member_id: UUID) -> Rows:
    """Every attempt to be paid, and by which card."""
    return rows_of(
        select(
            Payment.id,
            Payment.purpose,
            Payment.purpose_id,
            Payment.attempt,
            Payment.provider,
            Payment.amount,
            Payment.repaid,
            Payment.currency,
            Payment.status,
            Payment.failure,
            Card.brand.label("card_brand"),
            Card.last4.label("card_last4"),
            Payment.created_at,
            Payment.settled_at,
        )
        .outerjoin(Card, Card.id == Payment.card_id)
        .where(Payment.member_id == member_id)
        .order_by(Payment.id)
    )


@holds("repayments", tables=("repayment",))
def repayments(member_id: UUID) -> Rows:
    """Money that went back to them, or is on its way."""
    return rows_of(
        select(
            Repayment.id,
            Repayment.payment_id,
            Repayment.purpose,
            Repayment.purpose_id,
            Repayment.attempt,
            Repayment.provider,
            Repayment.amount,
            Repayment.currency,
            Repayment.status,
            Repayment.failure,
            Repayment.created_at,
            Repayment.settled_at,
        )
        .join(Payment, Payment.id == Repayment.payment_id)
        .where(Payment.member_id == member_id)
        .order_by(Repayment.id)
    )


@holds("disputes", tables=("dispute",))
def disputes(member_id: UUID) -> Rows:
    """Payments of theirs that a bank took back."""
    return rows_of(
        select(
            Dispute.id,
            Dispute.payment_id,
            Dispute.amount,
            Dispute.currency,
            Dispute.reason,
            Dispute.status,
            Dispute.opened_at,
            Dispute.closed_at,
        )
        .join(Payment, Payment.id == Dispute.payment_id)
        .where(Payment.member_id == member_id)
        .order_by(Dispute.id)
    )
