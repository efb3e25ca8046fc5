"""What the chain's stores make."""

from typing import Any

import chain
from api.auth import anyone
from api.fields import Id, MoneyField, Schema, Text
from api.paging import Page, page_of, paged
from api.routing import Resource

products = Resource("products", "/v1/products", "Products: drinks, each in one size.")


class ProductView(Schema):
    """A drink in a size."""

    id = Id(required=True, metadata={"description": "To name it by."})
    code = Text(required=True, metadata={"description": "The chain's own short name."})
    name = Text(required=True, metadata={"description": "As shoppers know it."})
    size = Text(required=True, metadata={"description": "As shoppers know it."})
    list_price = MoneyField(required=True, metadata={"description": "VAT included."})


@products.get("", guard=anyone, query=Page, answer=paged(ProductView))
def list_products(*, query: dict[str, Any]) -> dict[str, Any]:
    """List the products, in the order in which they came."""
    return page_of(
        lambda limit, after: chain.list_products(after=after[0] if after else None, limit=limit),
        query=query,
        position=lambda product: (product.id,),
    )
