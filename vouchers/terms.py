"""The terms of versions as they are told: with the names of products, stores and regions."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import cast
from uuid import UUID

from sqlalchemy import select

from chain.models import Product, Store
from kernel.db import db
from kernel.wording import Language, Unit
from vouchers import receipt_words
from vouchers.models import Offer, OfferVersion, OfferVersionProduct, OfferVersionStore
from vouchers.receipt_words import Span, Terms

Names = Mapping[UUID, Sequence[str]]


def terms_in_words(version: OfferVersion, language: Language) -> list[str]:
    """Tell somebody what a version's cups are good for, and what comes back of unused ones."""
    return list_terms_in_words([version], language)[version.id]


def list_terms_in_words(
    versions: Sequence[OfferVersion], language: Language
) -> Mapping[UUID, list[str]]:
    """The same for many versions, by their ids, in as many statements as for one."""
    return {
        version_id: [
            *receipt_words.terms_in_words(terms, language),
            *receipt_words.refunds_in_words(terms, language),
        ]
        for version_id, terms in list_terms(versions).items()
    }


def list_terms(versions: Sequence[OfferVersion]) -> Mapping[UUID, Terms]:
    """The terms of versions, by their ids."""
    ids = [version.id for version in versions]
    products, stores = _products(ids), _stores(ids)
    offer_ids = {version.offer_id for version in versions}
    plans = set(
        db.session.scalars(select(Offer.id).where(Offer.id.in_(offer_ids), Offer.kind == "plan"))
    )
    return {
        version.id: _terms(version, products, stores, is_plan=version.offer_id in plans)
        for version in versions
    }


def _terms(version: OfferVersion, products: Names, stores: Names, *, is_plan: bool) -> Terms:
    is_regional = version.accepted_at == "regions"
    return Terms(
        unit=cast("Unit", version.unit),
        cups=version.cups,
        bonus_cups=version.bonus_cups,
        currency=version.currency,
        list_price=version.list_price,
        expiry_mode=version.expiry_mode,
        ends=_span(version.expires_after_count, version.expires_after_unit),
        bonus_ends=_span(version.bonus_after_count, version.bonus_after_unit),
        products=products[version.id],
        accepted_at=version.accepted_at,
        places=version.accepted_regions if is_regional else stores[version.id],
        redeem_channels=version.redeem_channels,
        covers_up_to=version.covers_up_to,
        allows_top_up=version.allows_top_up,
        max_cups=version.max_cups,
        cups_per_day=version.cups_per_day,
        is_giftable=version.is_giftable,
        gift_unclaimed=version.gift_unclaimed,
        refund_basis=version.refund_basis,
        refund_fee_bp=version.refund_fee_bp,
        withdrawal_days=version.withdrawal_days,
        is_taxed_at_sale=version.vat_timing == "sale",
        is_plan=is_plan,
        is_unlimited=version.is_unlimited,
        minimum_interval_s=version.minimum_interval_s,
    )


def _span(count: int | None, unit: str | None) -> Span | None:
    return None if count is None or unit is None else Span(count, unit)


def _products(version_ids: Sequence[UUID]) -> Names:
    named: dict[UUID, list[str]] = defaultdict(list)
    rows = db.session.execute(
        select(OfferVersionProduct.offer_version_id, Product.name, Product.size)
        .join(Product, Product.id == OfferVersionProduct.product_id)
        .where(OfferVersionProduct.offer_version_id.in_(version_ids))
        .order_by(Product.name, Product.size)
    )
    for version_id, name, size in rows:
        named[version_id].append(f"{name} ({size})")
    return named


def _stores(version_ids: Sequence[UUID]) -> Names:
    named: dict[UUID, list[str]] = defaultdict(list)
    rows = db.session.execute(
        select(OfferVersionStore.offer_version_id, Store.name)
        .join(Store, Store.id == OfferVersionStore.store_id)
        .where(OfferVersionStore.offer_version_id.in_(version_ids))
        .order_by(Store.name)
    )
    for version_id, name in rows:
        named[version_id].append(name)
    return named
