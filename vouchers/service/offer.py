"""Offers are made: one person proposes terms, another approves them, and then they are sold."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as insert_unless

import chain
from chain.policy import local_day
from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from vouchers import jurisdiction
from vouchers.models import Offer, OfferVersion, OfferVersionProduct, OfferVersionStore
from vouchers.offer_errors import (
    NothingSold,
    OfferCurrency,
    OfferExists,
    SaleEndsEarlier,
    TwoPeople,
    VersionDecided,
    VersionNotApproved,
    VersionOutdated,
)
from vouchers.offer_terms import OfferTerms


def propose_offer(
    *,
    code: str,
    kind: str,
    terms: OfferTerms,
    legal_entity_id: UUID | None = None,
    by_id: UUID,
    now: datetime,
) -> OfferVersion:
    """Propose a new pack or plan. Nothing is on sale before somebody else approves it.

    Its law is that of the legal entity that shall sell it: the one that is named, or the owner of
    the online store today.

    Raises:
        NothingSold: it is a pack without a price, or without cups.
        OfferExists: the code is taken.
        Unlawful: the law does not allow such terms.
        NotFound: there is no such legal entity, or no online store that anybody owns.
    """
    law = _lawful(terms, kind, legal_entity_id, now)
    made = insert_unless(Offer).values(id=new_id(), code=code, kind=kind)
    offer_id = db.session.scalar(made.on_conflict_do_nothing().returning(Offer.id))
    if offer_id is None:
        raise OfferExists
    return _add(offer_id, 1, terms, law=law, by_id=by_id, now=now)


def propose_version(
    *,
    offer_id: UUID,
    kind: str,
    terms: OfferTerms,
    legal_entity_id: UUID | None = None,
    by_id: UUID,
    now: datetime,
) -> OfferVersion:
    """Propose further terms of an offer. Under the offer's lock, so that numbers are not shared.

    Raises:
        NothingSold: it is a pack without a price, or without cups.
        Unlawful: the law does not allow such terms.
        OfferCurrency: the offer is priced in another currency.
        NotFound: there is no such offer or legal entity.
    """
    law = _lawful(terms, kind, legal_entity_id, now)
    _lock(offer_id, kind)
    last = _last(offer_id)
    if last.currency != terms.currency:
        raise OfferCurrency(currency=last.currency)
    return _add(offer_id, last.version + 1, terms, law=law, by_id=by_id, now=now)


def approve(*, offer_id: UUID, kind: str, number: int, by_id: UUID, now: datetime) -> OfferVersion:
    """Let terms be sold that somebody else has proposed. From then on they never change.

    The sale of older versions ends when that of this one begins: were it left open, ending this
    one would bring an old price back.

    Raises:
        NotFound: there is no such version.
        VersionDecided: it was approved or rejected before.
        TwoPeople: it is one's own.
        VersionOutdated: a later version is approved.
    """
    version = _waiting(offer_id, kind, number)
    if version.proposed_by_id == by_id:
        raise TwoPeople
    others = _approved(offer_id)
    if others and others[-1].version > number:
        raise VersionOutdated(latest=others[-1].version)
    starts_at = max(version.sale_starts_at, now)
    for older in others:
        if older.sale_ends_at is None or older.sale_ends_at > starts_at:
            older.sale_ends_at = starts_at
    version.approved_by_id, version.approved_at = by_id, now
    db.session.flush()
    return version


def reject(*, offer_id: UUID, kind: str, number: int, by_id: UUID, now: datetime) -> OfferVersion:
    """Turn proposed terms down, or take one's own back.

    Raises:
        NotFound: there is no such version.
        VersionDecided: it was approved or rejected before.
    """
    version = _waiting(offer_id, kind, number)
    version.rejected_by_id, version.rejected_at = by_id, now
    db.session.flush()
    return version


def end_sale(
    *, offer_id: UUID, kind: str, number: int, ends_at: datetime | None, now: datetime
) -> OfferVersion:
    """End the sale of a version, now or at a moment to come; what was sold stays as it is.

    One person may do that alone, since it sells less. For the same reason a sale is never
    prolonged. Ending one that is over changes nothing.

    Raises:
        NotFound: there is no such version.
        VersionNotApproved: it is not sold anyway.
        SaleEndsEarlier: its sale ends before `ends_at`.
    """
    _lock(offer_id, kind)
    version = _version(offer_id, number)
    if version.approved_at is None:
        raise VersionNotApproved
    agreed = version.sale_ends_at
    if agreed is not None and agreed <= (ends_at or now):
        if ends_at is not None and agreed < ends_at:
            raise SaleEndsEarlier(sale_ends_at=agreed.isoformat())
        return version
    version.sale_ends_at = ends_at or now
    db.session.flush()
    return version


def _lawful(terms: OfferTerms, kind: str, legal_entity_id: UUID | None, now: datetime) -> str:
    """The law of the seller, which allows these terms; in no country is a pack nothing."""
    if kind == "pack":
        _refuse_nothing(terms)
    law = _law_of(legal_entity_id, now)
    jurisdiction.check(terms, kind=kind, jurisdiction=law)
    return law


def _refuse_nothing(terms: OfferTerms) -> None:
    found = {
        "price": terms.price < 1,
        "cups": terms.cups < 1,
        "is_unlimited": terms.is_unlimited,
        "first_price": terms.first_price is not None,
    }
    wrong = [term for term, is_wrong in found.items() if is_wrong]
    if wrong:
        raise NothingSold(terms=wrong)


def _law_of(legal_entity_id: UUID | None, now: datetime) -> str:
    if legal_entity_id is not None:
        return chain.get_legal_entity(legal_entity_id).jurisdiction
    store = chain.online_store()
    today_on = local_day(now, time_zone=store.time_zone)
    owned = [owner for owner in chain.list_owners(store.id) if owner.starts_on <= today_on]
    if not owned:
        raise NotFound
    return owned[-1].entity.jurisdiction


def _add(
    offer_id: UUID, number: int, terms: OfferTerms, *, law: str, by_id: UUID, now: datetime
) -> OfferVersion:
    version = OfferVersion(
        id=new_id(),
        offer_id=offer_id,
        version=number,
        jurisdiction=law,
        proposed_by_id=by_id,
        proposed_at=now,
        **terms.columns,
    )
    db.session.add(version)
    db.session.flush()
    _list(version.id, terms)
    return version


def _list(version_id: UUID, terms: OfferTerms) -> None:
    """Name the products and stores of a version."""
    if terms.product_ids:
        products = [
            {"offer_version_id": version_id, "product_id": one} for one in terms.product_ids
        ]
        db.session.execute(insert(OfferVersionProduct), products)
    if terms.store_ids:
        stores = [{"offer_version_id": version_id, "store_id": one} for one in terms.store_ids]
        db.session.execute(insert(OfferVersionStore), stores)


def _lock(offer_id: UUID, kind: str) -> None:
    """Hold the offer, so that its versions are numbered, approved and ended one after the other."""
    offer = select(Offer.id).where(Offer.id == offer_id, Offer.kind == kind).with_for_update()
    if db.session.scalar(offer) is None:
        raise NotFound


def _last(offer_id: UUID) -> OfferVersion:
    versions = select(OfferVersion).where(OfferVersion.offer_id == offer_id)
    return db.session.scalars(versions.order_by(OfferVersion.version.desc()).limit(1)).one()


def _version(offer_id: UUID, number: int) -> OfferVersion:
    found = db.session.scalar(
        select(OfferVersion)
        .where(OfferVersion.offer_id == offer_id, OfferVersion.version == number)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound
    return found


def _waiting(offer_id: UUID, kind: str, number: int) -> OfferVersion:
    _lock(offer_id, kind)
    version = _version(offer_id, number)
    if version.approved_at is not None or version.rejected_at is not None:
        raise VersionDecided
    return version


def _approved(offer_id: UUID) -> Sequence[OfferVersion]:
    """The approved versions, the oldest first."""
    return db.session.scalars(
        select(OfferVersion)
        .where(OfferVersion.offer_id == offer_id, OfferVersion.approved_at.is_not(None))
        .order_by(OfferVersion.version)
        .execution_options(populate_existing=True)
    ).all()
