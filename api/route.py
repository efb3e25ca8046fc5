"""A route as it was declared; the server and the documents are made from it."""

import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from marshmallow import Schema

from api.auth import Guard
from api.tables import TABLE
from kernel.errors import Refusal

Idempotency = Literal["none", "answer", "domain"]
TransactionMode = Literal["one", "own", "snapshot"]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

_WITHOUT_DOCSTRINGS = 2  # `python -OO`: `api.docstrings` finds them then
_IN_PATH = re.compile(r"<(?:[^:>]+:)?(\w+)>")


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path, as declared."""

    resource: str
    method: Method
    path: str
    view: Callable[..., Any]
    guard: Guard
    body: Schema | None
    query: Schema | None
    answer: Schema | None
    status: int
    idempotency: Idempotency
    transaction: TransactionMode
    refusals: tuple[type[Refusal], ...]
    most_bytes: int
    produces: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.view.__name__

    @property
    def path_names(self) -> list[str]:
        return _IN_PATH.findall(self.path)

    @property
    def address_name(self) -> str:
        """What the address calls it: its last part that is always the same."""
        parts = [part for part in self.path.split("/") if part and not _IN_PATH.search(part)]
        return parts[-1] if parts else self.resource

    @property
    def may_be_bare(self) -> bool:
        """Whether its body may be left out, since nothing in it is required."""
        body = self.body
        return body is not None and not any(one.required for one in body.load_fields.values())

    @property
    def is_table(self) -> bool:
        """Whether the answer is a report, which goes out in several forms."""
        return self.produces == TABLE

    @property
    def given(self) -> set[str]:
        """The keywords that the view is given."""
        parts = {
            "caller": not self.guard.is_open,
            "body": self.body is not None,
            "query": self.query is not None,
            "key": self.idempotency == "domain",
        }
        return {name for name, is_given in parts.items() if is_given} | set(self.path_names)


def refuse_misdeclared(route: Route) -> None:
    """Find at start-up what would else fail at the first request.

    Raises:
        TypeError: with the route's name and what is wrong.
    """
    if not isinstance(route.guard, Guard):
        raise TypeError(f"{route.name}: who may call? give a guard of api.auth")
    wanted = set(inspect.signature(route.view).parameters)
    if wanted != route.given:
        raise TypeError(
            f"{route.name} takes {sorted(wanted)}, but its route gives {sorted(route.given)}"
        )
    if route.idempotency == "answer" and not route.guard.has_principal:
        raise TypeError(f"{route.name}: an answer is kept per caller, and the guard names none")
    if route.idempotency != "none" and (route.is_table or route.transaction == "snapshot"):
        raise TypeError(f"{route.name}: what only reads needs no key")
    has_none = not (route.view.__doc__ or "").strip()
    if has_none and sys.flags.optimize < _WITHOUT_DOCSTRINGS:
        raise TypeError(f"{route.name}: its docstring is its entry in the documents")
