"""The packs that are on sale."""

from functools import partial
from typing import Any

from api.auth import anyone
from api.offers import OfferView, position, read_offers
from api.paging import Page, page_of, paged
from api.routing import Resource

packs = Resource("packs", "/v1/packs", "Packs: cups bought in bulk, collected a few at a time.")


class PackView(OfferView):
    """A pack at the terms of today."""


@packs.get("", guard=anyone, query=Page, answer=paged(PackView))
def list_packs(*, query: dict[str, Any]) -> dict[str, Any]:
    """List the packs that are on sale now."""
    return page_of(partial(read_offers, "pack"), query=query, position=position)
