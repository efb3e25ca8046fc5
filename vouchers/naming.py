"""Offers as others name them."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select

from kernel.db import db
from kernel.errors import NotFound
from vouchers.models import Offer


def check_offers(offer_ids: Iterable[UUID]) -> None:
    """Raises: NotFound: one of these is no offer."""
    named = set(offer_ids)
    known = set(db.session.scalars(select(Offer.id).where(Offer.id.in_(named))))
    if named - known:
        raise NotFound
