"""What this room holds about a member."""

from uuid import UUID

from sqlalchemy import and_, func, or_, select

from chain.models import Product, Store
from members.holding import Rows, holds, rows_of
from redemption.models import Credential, Redemption, RedemptionLine


@holds("credentials", tables=("credential",))
def credentials(member_id: UUID) -> Rows:
    """The phones that show codes, of a shared plan too, without what the codes are made with."""
    return rows_of(
        select(
            func.encode(Credential.id, "hex").label("id"),
            Credential.issued_at,
            Credential.ends_at,
            Credential.revoked_at,
            Credential.subscription_id,
        )
        .where(
            or_(
                and_(Credential.member_id == member_id, Credential.holder_id.is_(None)),
                Credential.holder_id == member_id,
            )
        )
        .order_by(Credential.issued_at)
    )


@holds("redemptions", tables=("redemption", "redemption_line"))
def redemptions(member_id: UUID) -> Rows:
    """What they drank, where and when, and from which lots the cups came."""
    line = func.jsonb_build_object(
        "lot_id",
        RedemptionLine.lot_id,
        "cups",
        RedemptionLine.cups,
        "net",
        RedemptionLine.amount,
    )
    lines = select(func.jsonb_agg(line)).where(
        RedemptionLine.member_id == Redemption.member_id,
        RedemptionLine.redemption_id == Redemption.id,
    )
    return rows_of(
        select(
            Redemption.id,
            Store.name.label("store"),
            Product.name.label("product"),
            Product.size,
            Redemption.cups,
            Redemption.top_up,
            Redemption.redeemed_at,
            Redemption.voided_at,
            lines.scalar_subquery().label("lines"),
        )
        .join(Store, Store.id == Redemption.store_id)
        .join(Product, Product.id == Redemption.product_id)
        .where(Redemption.member_id == member_id)
        .order_by(Redemption.id)
    )


@holds("shared_redemptions", tables=("redemption",))
def shared_redemptions(member_id: UUID) -> Rows:
    """What they drank of somebody else's plan, where and when."""
    return rows_of(
        select(
            Redemption.id,
            Credential.subscription_id,
            Store.name.label("store"),
            Product.name.label("product"),
            Product.size,
            Redemption.cups,
            Redemption.redeemed_at,
            Redemption.voided_at,
        )
        .join(Credential, Credential.id == Redemption.credential_id)
        .join(Store, Store.id == Redemption.store_id)
        .join(Product, Product.id == Redemption.product_id)
        .where(Credential.holder_id == member_id, Redemption.member_id == Credential.member_id)
        .order_by(Redemption.id)
    )
