"""Lists: newest first, in pages, filtered by time of creation."""

from typing import Any

from sandbox.call import Call
from sandbox.errors import StripeError
from sandbox.params import Params
from sandbox.store import Document, Filter, Span

_DEFAULT_LIMIT, _MAX_LIMIT = 10, 100


def read_created(params: Params) -> Span:
    """`created=…` exactly, or `created[gt|gte|lt|lte]=…`, in epoch seconds."""
    if "created" not in params:
        return Span()
    try:
        exact = params.find_integer("created")
    except StripeError as error:
        if error.facts.get("code"):
            raise  # a value, but no number
        group = params.get_group("created")
        return Span(**{bound: group.find_integer(bound) for bound in ("gt", "gte", "lt", "lte")})
    return Span(gte=exact, lte=exact)


class Page:
    """Which part of a list is wanted."""

    def __init__(self, params: Params) -> None:
        limit = params.find_integer("limit")
        self.limit = _DEFAULT_LIMIT if limit is None else limit
        self.after = params.find_text("starting_after")
        self.before = params.find_text("ending_before")
        if not 1 <= self.limit <= _MAX_LIMIT:
            raise StripeError(
                f"Invalid limit: it must be between 1 and {_MAX_LIMIT}.",
                code="parameter_invalid_integer",
                param="limit",
            )
        if self.after and self.before:
            raise StripeError(
                "Only one of starting_after and ending_before can be given.",
                code="parameters_exclusive",
            )


def show_page(call: Call, page: Page, shown: Filter, *, url: str) -> Document:
    """One page as Stripe's list object."""
    session, wanted = call.session, page.limit + 1
    if page.before:
        position = _position(call, shown, page.before, param="ending_before")
        found = session.list_newer(shown, than=position, limit=wanted)[-wanted:]
        kept = found[-page.limit :]
    else:
        below = _position(call, shown, page.after, param="starting_after") if page.after else None
        found = session.list_older(shown, than=below, limit=wanted)
        kept = found[: page.limit]
    return list_object(kept, has_more=len(found) > page.limit, url=url)


def list_object(documents: list[Document], *, url: str, has_more: bool = False) -> Document:
    shown: dict[str, Any] = {"object": "list", "data": documents}
    return shown | {"has_more": has_more, "url": url}


def _position(call: Call, shown: Filter, object_id: str, *, param: str) -> int:
    call.get(shown.object, object_id, param=param)
    position = call.session.position(shown.object, object_id)
    assert position is not None
    return position
