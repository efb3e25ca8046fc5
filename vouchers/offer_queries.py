"""Offers with all that was ever proposed for them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select

from kernel.db import db
from kernel.errors import NotFound
from vouchers.models import Offer, OfferVersion
from vouchers.queries import Offered, current_versions, with_lists


def get_offer(*, offer_id: UUID, kind: str, now: datetime) -> Offered:
    """An offer at the terms of today.

    Raises:
        NotFound: there is no such offer, or it is not on sale.
    """
    offer = _offer(offer_id, kind)
    version = current_versions([offer.id], now=now).get(offer.id)
    if version is None:
        raise NotFound
    return with_lists([(offer, version)])[0]


def get_version(*, offer_id: UUID, kind: str, number: int) -> Offered:
    """An offer at the terms of one version, whatever became of it.

    Raises:
        NotFound: there is no such version.
    """
    offer = _offer(offer_id, kind)
    version = db.session.scalar(_versions(offer_id).where(OfferVersion.version == number))
    if version is None:
        raise NotFound
    return with_lists([(offer, version)])[0]


def list_versions(
    *, offer_id: UUID, kind: str, before: int | None, limit: int
) -> Sequence[Offered]:
    """Every version of an offer, the latest first, from before one of them.

    Raises:
        NotFound: there is no such offer.
    """
    offer = _offer(offer_id, kind)
    page = _versions(offer_id).order_by(OfferVersion.version.desc()).limit(limit)
    if before is not None:
        page = page.where(OfferVersion.version < before)
    return with_lists([(offer, version) for version in db.session.scalars(page)])


def state_of(version: OfferVersion, *, now: datetime) -> str:
    """What became of a version: proposed, approved, rejected, or its sale has ended."""
    if version.rejected_at is not None:
        return "rejected"
    if version.approved_at is None:
        return "proposed"
    is_over = version.sale_ends_at is not None and version.sale_ends_at <= now
    return "ended" if is_over else "approved"


def _offer(offer_id: UUID, kind: str) -> Offer:
    offer = db.session.get(Offer, offer_id)
    if offer is None or offer.kind != kind:
        raise NotFound
    return offer


def _versions(offer_id: UUID) -> Select[OfferVersion]:
    return select(OfferVersion).where(OfferVersion.offer_id == offer_id)
