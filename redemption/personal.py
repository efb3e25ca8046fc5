"""What this room holds about a member."""

from uuid import UUID

from sqlalchemy import and_, func, or_, select

from chain.models import Product, Store
from members.holding import Rows, holds, rows_of
from redemption.models import (
    Capsule,
    Credential,
    LateVoid,
    Redemption,
    RedemptionLine,
    Void,
    WalletBlock,
)


@holds("credentials", tables=("credential",))
def credentials(member_id: UUID) -> Rows:
    """Phones, codes and cards, of a shared plan too, without what the codes are made with."""
    return rows_of(
        select(
            func.encode(Credential.id, "hex").label("id"),
            Credential.kind,
            Credential.name,
            Credential.issued_at,
            Credential.phone_since,
            Credential.ends_at,
            Credential.revoked_at,
            Credential.subscription_id,
            Credential.approved_cups,
            Credential.approved_until,
        )
        .where(
            or_(
                and_(Credential.member_id == member_id, Credential.holder_id.is_(None)),
                Credential.holder_id == member_id,
            )
        )
        .order_by(Credential.issued_at)
    )


@holds("capsules", tables=("capsule",))
def capsules(member_id: UUID) -> Rows:
    """What their phones could collect without a network, without what it is shown with."""
    return rows_of(
        select(
            func.encode(Capsule.serial, "hex").label("serial"),
            Capsule.cups,
            Capsule.store_group,
            Capsule.issued_at,
            Capsule.ends_at,
            Capsule.revoked_at,
        )
        .where(Capsule.member_id == member_id)
        .order_by(Capsule.issued_at)
    )


@holds("redemptions", tables=("redemption", "redemption_line"))
def redemptions(member_id: UUID) -> Rows:
    """What they drank, where and when, and from which lots the cups came."""
    line = func.jsonb_build_object(
        "product",
        Product.name,
        "size",
        Product.size,
        "lot_id",
        RedemptionLine.lot_id,
        "cups",
        RedemptionLine.cups,
        "net",
        RedemptionLine.amount,
    )
    lines = (
        select(func.jsonb_agg(line))
        .select_from(RedemptionLine)
        .join(Product, Product.id == RedemptionLine.product_id)
        .where(
            RedemptionLine.member_id == Redemption.member_id,
            RedemptionLine.redemption_id == Redemption.id,
        )
    )
    return rows_of(
        select(
            Redemption.id,
            Store.name.label("store"),
            Redemption.cups,
            Redemption.top_up,
            Redemption.redeemed_at,
            Redemption.is_offline,
            Redemption.cups_voided,
            Redemption.voided_at,
            Redemption.disowned_at,
            lines.scalar_subquery().label("lines"),
        )
        .join(Store, Store.id == Redemption.store_id)
        .where(Redemption.member_id == member_id)
        .order_by(Redemption.id)
    )


@holds("shared_redemptions", tables=("redemption", "redemption_line"))
def shared_redemptions(member_id: UUID) -> Rows:
    """What they drank of somebody else's plan, where and when."""
    drinks = (
        select(func.jsonb_agg(func.concat_ws(" ", Product.name, Product.size)))
        .select_from(RedemptionLine)
        .join(Product, Product.id == RedemptionLine.product_id)
        .where(
            RedemptionLine.member_id == Redemption.member_id,
            RedemptionLine.redemption_id == Redemption.id,
        )
    )
    return rows_of(
        select(
            Redemption.id,
            Credential.subscription_id,
            Store.name.label("store"),
            drinks.scalar_subquery().label("drinks"),
            Redemption.cups,
            Redemption.redeemed_at,
            Redemption.voided_at,
        )
        .join(Credential, Credential.id == Redemption.credential_id)
        .join(Store, Store.id == Redemption.store_id)
        .where(Credential.holder_id == member_id, Redemption.member_id == Credential.member_id)
        .order_by(Redemption.id)
    )


@holds("voids", tables=("redemption_void",))
def voids(member_id: UUID) -> Rows:
    """Which cups of theirs were undone, where, when and why."""
    return rows_of(
        select(
            Void.id,
            Void.redemption_id,
            Store.name.label("store"),
            Void.cups,
            Void.top_up,
            Void.reason,
            Void.voided_at,
        )
        .join(Store, Store.id == Void.store_id)
        .where(Void.member_id == member_id)
        .order_by(Void.id)
    )


@holds("late_voids", tables=("late_void",))
def late_voids(member_id: UUID) -> Rows:
    """What the chain was asked to undo of theirs after the store's time, and what was decided."""
    return rows_of(
        select(
            LateVoid.id,
            LateVoid.redemption_id,
            LateVoid.items,
            LateVoid.reason,
            LateVoid.asked_at,
            LateVoid.decided_at,
            LateVoid.is_approved,
        )
        .where(LateVoid.member_id == member_id)
        .order_by(LateVoid.id)
    )


@holds("wallet_blocks", tables=("wallet_block",))
def wallet_blocks(member_id: UUID) -> Rows:
    """When their wallet was blocked, by themselves or by the chain and why."""
    return rows_of(
        select(
            WalletBlock.id,
            WalletBlock.is_own,
            WalletBlock.redemption_id,
            WalletBlock.reason,
            WalletBlock.blocked_at,
            WalletBlock.lifted_at,
        )
        .where(WalletBlock.member_id == member_id)
        .order_by(WalletBlock.id)
    )
