"""What this room holds about a member."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, func, null, or_, select

import members
from chain.models import Store
from members.holding import Rows, holds, rows_of
from vouchers.models import (
    Gift,
    GiftBlock,
    GiftItem,
    Lot,
    Offer,
    OfferVersion,
    Order,
    OrderItem,
    Refund,
    RefundLine,
    Wallet,
)


@holds("wallet", tables=("wallet",))
def wallet(member_id: UUID) -> Rows:
    """The wallet itself."""
    mine = select(Wallet.version.label("changes"), Wallet.blocked_at)
    return rows_of(mine.where(Wallet.member_id == member_id))


@holds("orders", tables=("voucher_order", "order_item"))
def orders(member_id: UUID) -> Rows:
    """What they ordered."""
    item = func.jsonb_build_object(
        "id",
        OrderItem.id,
        "name",
        OfferVersion.name,
        "quantity",
        OrderItem.quantity,
        "gross",
        OrderItem.gross,
        "net",
        OrderItem.net,
        "vat",
        OrderItem.vat,
    )
    items = (
        select(func.jsonb_agg(item))
        .join(OfferVersion, OfferVersion.id == OrderItem.offer_version_id)
        .where(OrderItem.order_id == Order.id)
    )
    return rows_of(
        select(
            Order.id,
            Store.name.label("store"),
            Order.channel,
            Order.status,
            Order.total,
            Order.currency,
            Order.buyer_tax_id,
            Order.carrier,
            Order.donation_code,
            Order.ordered_at,
            Order.ends_at,
            Order.paid_at,
            Order.fulfilled_at,
            items.scalar_subquery().label("items"),
        )
        .join(Store, Store.id == Order.store_id)
        .where(Order.member_id == member_id)
        .order_by(Order.id)
    )


@holds("lots", tables=("lot",))
def lots(member_id: UUID) -> Rows:
    """Every lot of cups that they hold or held."""
    return rows_of(
        select(
            Lot.id,
            Offer.code.label("offer"),
            OfferVersion.name,
            Store.name.label("store"),
            Lot.source,
            Lot.source_id,
            case((Lot.buyer_id == member_id, Lot.order_item_id)).label("order_item_id"),
            Lot.is_bonus,
            Lot.units.label("cups"),
            (Lot.units - Lot.used).label("left"),
            Lot.net,
            Lot.vat,
            Lot.currency,
            Lot.sold_at,
            Lot.expiry_mode,
            Lot.ends_at,
            Lot.frozen_at,
        )
        .join(Offer, Offer.id == Lot.offer_id)
        .join(OfferVersion, OfferVersion.id == Lot.offer_version_id)
        .join(Store, Store.id == Lot.store_id)
        .where(Lot.member_id == member_id)
        .order_by(Lot.id)
    )


@holds("gifts", tables=("gift", "gift_item"))
def gifts(member_id: UUID) -> Iterator[Mapping[str, Any]]:
    """What they gave and received. Of a gift that they gave, with the message that they wrote."""
    for gift in rows_of(_gifts(member_id)):
        sealed = gift.pop("message_sealed")  # type: ignore[attr-defined]
        yield {**gift, "message": members.open_text(member_id=member_id, sealed=sealed)}


def _gifts(member_id: UUID) -> Select[Any]:
    is_mine = Gift.giver_id == member_id
    part = func.jsonb_build_object("lot_id", GiftItem.lot_id, "cups", GiftItem.cups)
    parts = select(func.jsonb_agg(part)).where(GiftItem.gift_id == Gift.id)
    received = (Gift.claimed_by_id == member_id) & (Gift.status == "claimed")
    return (
        select(
            Gift.id,
            case((is_mine, "given"), else_="received").label("side"),
            Gift.status,
            Gift.cups,
            Gift.given_at,
            Gift.ends_at,
            Gift.closed_at,
            case((is_mine, parts.scalar_subquery()), else_=null()).label("parts"),
            case((is_mine, Gift.message_sealed)).label("message_sealed"),
        )
        .where(or_(is_mine, received))
        .order_by(Gift.id)
    )


@holds("blocks", tables=("gift_block",))
def blocks(member_id: UUID) -> Rows:
    """From whom they want no gifts."""
    return rows_of(
        select(GiftBlock.blocked_id, GiftBlock.blocked_at)
        .where(GiftBlock.member_id == member_id)
        .order_by(GiftBlock.blocked_id)
    )


@holds("refunds", tables=("refund",))
def refunds(member_id: UUID) -> Rows:
    """What they were paid back, or are owed."""
    return rows_of(
        select(
            Refund.id,
            Refund.purpose,
            Refund.purpose_id,
            Refund.reason,
            Refund.basis,
            Refund.currency,
            Refund.gross,
            Refund.kept,
            Refund.fee,
            Refund.payable,
            Refund.status,
            Refund.refunded_at,
            Refund.paid_at,
        )
        .where(Refund.payer_id == member_id)
        .order_by(Refund.id)
    )


@holds("refunded_cups", tables=("refund_line",))
def refunded_cups(member_id: UUID) -> Rows:
    """Which of their cups were given back, whoever had paid for them."""
    return rows_of(
        select(
            RefundLine.refund_id,
            RefundLine.lot_id,
            RefundLine.gift_id,
            RefundLine.cups,
            RefundLine.net,
            RefundLine.vat,
        )
        .where(RefundLine.member_id == member_id)
        .order_by(RefundLine.refund_id, RefundLine.ordinal)
    )
