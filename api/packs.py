"""Packs: what is on sale, and how it comes to be: proposed by one person, approved by another."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from marshmallow import ValidationError, fields

import vouchers
from api.auth import OfficeCaller, anyone, office
from api.fields import Integer, Text
from api.language import language
from api.offer_terms import TermsBody, read_terms
from api.offer_versions import EndSaleBody, VersionView, code_field, number_of
from api.offers import OfferView, position, read_offers
from api.paging import Page, Position, page_of, paged
from api.routing import Resource
from kernel import clock
from kernel.errors import NotFound
from vouchers import Offered
from vouchers.models import OfferVersion
from vouchers.offer_errors import (
    OfferCurrency,
    OfferExists,
    SaleEndsEarlier,
    TwoPeople,
    Unlawful,
    VersionDecided,
    VersionNotApproved,
    VersionOutdated,
)
from vouchers.offer_queries import get_offer, get_version, list_versions, state_of
from vouchers.offer_terms import OfferTerms
from vouchers.service import offer as making

packs = Resource("packs", "/v1/packs", "Packs: cups bought in bulk, collected a few at a time.")

_KIND: Final = "pack"
_ADMIN = office("admin")
_OFFICE = office("finance", "admin")


class PackView(OfferView):
    """A pack at the terms of today."""

    terms = fields.List(
        Text(),
        required=True,
        metadata={"description": "The terms in sentences, in the language that was asked for."},
    )


class PackVersionView(VersionView, PackView):
    """A pack at one version of its terms, as the office sees it."""

    bonus_use_bp = Integer(
        required=True,
        allow_none=True,
        attribute="version.bonus_use_bp",
        metadata={
            "description": "How likely bonus cups that lapse are collected, in hundredths of a"
            " percent."
        },
    )


class PackBody(TermsBody):
    """A pack that is new, with its first terms."""

    code = code_field("latte-11")


@packs.get("", guard=anyone, query=Page, answer=paged(PackView))
def list_packs(*, query: dict[str, Any]) -> dict[str, Any]:
    """List the packs that are on sale now."""
    page = page_of(partial(read_offers, _KIND), query=query, position=position)
    return {**page, "items": _told(page["items"])}


@packs.get("/<uuid:pack_id>", guard=anyone, answer=PackView, refusals=(NotFound,))
def get_pack(*, pack_id: UUID) -> dict[str, Any]:
    """Read a pack at the terms at which it is sold now."""
    return _told([get_offer(offer_id=pack_id, kind=_KIND, now=clock.now())])[0]


@packs.post(
    "",
    guard=_ADMIN,
    body=PackBody,
    answer=PackVersionView,
    status=201,
    idempotency="answer",
    refusals=(OfferExists, Unlawful),
)
def propose_pack(*, caller: OfficeCaller, body: dict[str, Any]) -> dict[str, Any]:
    """Propose a new pack. It is on sale when somebody else approves it.

    Whatever the seller's law does not allow is refused here, all of it at once.
    """
    now = clock.now()
    made = making.propose_offer(
        code=body["code"],
        kind=_KIND,
        terms=_terms(body, now),
        legal_entity_id=body["legal_entity_id"],
        by_id=caller.staff_id,
        now=now,
    )
    return _one(made)


@packs.get(
    "/<uuid:pack_id>/versions",
    guard=_OFFICE,
    query=Page,
    answer=paged(PackVersionView),
    refusals=(NotFound,),
)
def list_pack_versions(
    *, caller: OfficeCaller, pack_id: UUID, query: dict[str, Any]
) -> dict[str, Any]:
    """List everything that was ever proposed for a pack, the latest first."""
    del caller

    def read(limit: int, after: Position | None) -> Sequence[Offered]:
        before = None if after is None else after[0]
        return list_versions(offer_id=pack_id, kind=_KIND, before=before, limit=limit)

    page = page_of(read, query=query, position=lambda one: (one.version.version,))
    return {**page, "items": _told(page["items"])}


@packs.post(
    "/<uuid:pack_id>/versions",
    guard=_ADMIN,
    body=TermsBody,
    answer=PackVersionView,
    status=201,
    idempotency="answer",
    refusals=(NotFound, OfferCurrency, Unlawful),
)
def propose_pack_version(
    *, caller: OfficeCaller, pack_id: UUID, body: dict[str, Any]
) -> dict[str, Any]:
    """Propose other terms of a pack: all of them, not what changes. What was sold keeps its own."""
    now = clock.now()
    made = making.propose_version(
        offer_id=pack_id,
        kind=_KIND,
        terms=_terms(body, now),
        legal_entity_id=body["legal_entity_id"],
        by_id=caller.staff_id,
        now=now,
    )
    return _one(made)


@packs.post(
    "/<uuid:pack_id>/versions/<number>/approve",
    guard=_OFFICE,
    answer=PackVersionView,
    idempotency="answer",
    refusals=(NotFound, VersionDecided, TwoPeople, VersionOutdated),
)
def approve_pack_version(*, caller: OfficeCaller, pack_id: UUID, number: str) -> dict[str, Any]:
    """Let terms be sold that somebody else has proposed; the sale of older ones ends by it."""
    approved = making.approve(
        offer_id=pack_id,
        kind=_KIND,
        number=number_of(number),
        by_id=caller.staff_id,
        now=clock.now(),
    )
    return _one(approved)


@packs.post(
    "/<uuid:pack_id>/versions/<number>/reject",
    guard=_OFFICE,
    answer=PackVersionView,
    idempotency="answer",
    refusals=(NotFound, VersionDecided),
)
def reject_pack_version(*, caller: OfficeCaller, pack_id: UUID, number: str) -> dict[str, Any]:
    """Turn proposed terms down, or take your own back."""
    rejected = making.reject(
        offer_id=pack_id,
        kind=_KIND,
        number=number_of(number),
        by_id=caller.staff_id,
        now=clock.now(),
    )
    return _one(rejected)


@packs.post(
    "/<uuid:pack_id>/versions/<number>/end-sale",
    guard=_OFFICE,
    body=EndSaleBody,
    answer=PackVersionView,
    idempotency="answer",
    refusals=(NotFound, VersionNotApproved, SaleEndsEarlier),
)
def end_pack_sale(
    *, caller: OfficeCaller, pack_id: UUID, number: str, body: dict[str, Any]
) -> dict[str, Any]:
    """End the sale of a version, now or later. Nothing else about it changes, nor what was sold."""
    del caller
    now, ends_at = clock.now(), body["sale_ends_at"]
    if ends_at is not None and ends_at < now:
        raise ValidationError({"sale_ends_at": ["Is over."]})
    ended = making.end_sale(
        offer_id=pack_id, kind=_KIND, number=number_of(number), ends_at=ends_at, now=now
    )
    return _one(ended)


def _terms(body: dict[str, Any], now: datetime) -> OfferTerms:
    return read_terms(body, fixed=TermsBody.FIXED, needs_end=True, now=now)


def _one(version: OfferVersion) -> dict[str, Any]:
    found = get_version(offer_id=version.offer_id, kind=_KIND, number=version.version)
    return _told([found])[0]


def _told(offered: Sequence[Offered]) -> list[dict[str, Any]]:
    """Packs with their terms in sentences, in as many statements as for one."""
    words = vouchers.list_terms_in_words([one.version for one in offered], language())
    now = clock.now()
    return [
        {
            "offer": one.offer,
            "version": one.version,
            "product_ids": one.product_ids,
            "store_ids": one.store_ids,
            "terms": words[one.version.id],
            "state": state_of(one.version, now=now),
        }
        for one in offered
    ]
