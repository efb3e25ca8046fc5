"""Legal entities, and which stores are theirs."""

from datetime import date
from typing import Any
from uuid import UUID

from marshmallow import ValidationError, fields, validate

import chain
from api.auth import OfficeCaller, office
from api.fields import Day, Id, Name, Schema, Text
from api.paging import Page, page_of, paged
from api.routing import Resource
from chain import LegalEntity, LegalEntityExists, Owned
from kernel.errors import NotFound
from ledger.errors import PeriodClosed
from ledger.service.owning import change_owner
from vouchers import jurisdiction

legal_entities = Resource(
    "legal_entities", "/v1/legal-entities", "Legal entities: companies that own stores."
)
store_owners = Resource("store_owners", "/v1/stores", "Owners: to whom a store belongs, and when.")

_FINANCE = office("finance", "admin")
_ADMIN = office("admin")


class LegalEntityBody(Schema):
    """A company or franchisee."""

    code = Text(
        required=True,
        least=1,
        most=40,
        validate=validate.Regexp(r"^[A-Za-z0-9][A-Za-z0-9._-]*(?!\n)$"),
        metadata={"description": "The chain's own short name.", "example": "TPE-01"},
    )
    name = Name(required=True, metadata={"description": "As it is registered."})
    jurisdiction = Text(
        load_default=jurisdiction.USUAL,
        validate=validate.OneOf(jurisdiction.known()),
        metadata={"description": "Whose law binds what its stores sell."},
    )


class LegalEntityView(Schema):
    """A company or franchisee; it owns stores and owes taxes."""

    id = Id(required=True, metadata={"description": "To name it by."})
    code = Text(required=True, metadata={"description": "The chain's own short name."})
    name = Text(required=True, metadata={"description": "As it is registered."})
    jurisdiction = Text(
        required=True, metadata={"description": "Whose law binds what its stores sell."}
    )


class OwnerBody(Schema):
    """To whom a store shall belong."""

    legal_entity_id = Id(required=True, metadata={"description": "Who owns it."})
    starts_on = Day(
        required=True,
        metadata={
            "description": "From when: the first of a month that is not closed.",
            "example": "2026-03-01",
        },
    )


class OwnerView(Schema):
    """To whom a store belongs from a month on, until the next one begins."""

    store_id = Id(required=True, metadata={"description": "The store."})
    starts_on = Day(required=True, metadata={"description": "The first day of a month."})
    entity = fields.Nested(LegalEntityView, required=True, metadata={"description": "Who owns it."})


class OwnersView(Schema):
    """All owners of a store."""

    items = fields.List(
        fields.Nested(OwnerView), required=True, metadata={"description": "The first one first."}
    )


@legal_entities.get("", guard=_FINANCE, query=Page, answer=paged(LegalEntityView))
def list_legal_entities(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """List the legal entities, in the order in which they came."""
    del caller
    return page_of(
        lambda limit, after: chain.list_legal_entities(
            after=after[0] if after else None, limit=limit
        ),
        query=query,
        position=lambda entity: (entity.id,),
    )


@legal_entities.post(
    "",
    guard=_ADMIN,
    body=LegalEntityBody,
    answer=LegalEntityView,
    status=201,
    idempotency="answer",
    refusals=(LegalEntityExists,),
)
def add_legal_entity(*, caller: OfficeCaller, body: dict[str, Any]) -> LegalEntity:
    """Name a company or franchisee that may own stores."""
    del caller
    return chain.add_legal_entity(**body)


@store_owners.get("/<uuid:store_id>/owner", guard=_FINANCE, answer=OwnersView, refusals=(NotFound,))
def list_owners(*, caller: OfficeCaller, store_id: UUID) -> dict[str, Any]:
    """List the owners that a store had, has and will have."""
    del caller
    return {"items": chain.list_owners(store_id)}


@store_owners.put(
    "/<uuid:store_id>/owner",
    guard=_ADMIN,
    body=OwnerBody,
    answer=OwnerView,
    refusals=(NotFound, PeriodClosed),
)
def set_owner(*, caller: OfficeCaller, store_id: UUID, body: dict[str, Any]) -> Owned:
    """Let a store belong to a legal entity from a month on, until a later change.

    Statements of closed months do not change: the month must not be closed.
    """
    del caller
    starts_on: date = body["starts_on"]
    if starts_on.day != 1:
        raise ValidationError({"starts_on": ["Begins on the first of a month."]})
    return change_owner(store_id=store_id, **body)
