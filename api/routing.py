"""How a resource declares its routes: who may call, what comes in, what goes out.

    orders = Resource("orders", "/v1/orders", "Orders: what a member bought and must pay for.")

    @orders.post("", guard=member, body=OrderBody, answer=OrderView, status=201,
                 idempotency="answer", refusals=(SaleClosed,))
    def place_order(*, caller: MemberCaller, body: dict[str, Any]) -> Order:
        '''Order packs and plans.'''

A view gets keywords only: `caller` (unless the guard is `anyone`), `body` and `query` where
there are schemas, what stands in the path, and `key` with `idempotency="domain"`. It answers a
domain value, which is written through `answer`, or a (value, status) pair, or a ready Response.
A route cannot be without a guard.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint
from marshmallow import Schema

from api.auth import Guard
from api.route import Idempotency, Method, Route, TransactionMode, refuse_misdeclared
from api.serving import serving
from kernel.errors import Refusal

View = TypeVar("View", bound=Callable[..., Any])

MOST_BODY_BYTES = 64 * 1024


class Resource:
    """The routes under one address, with a sentence about what is there."""

    def __init__(self, name: str, prefix: str, about: str) -> None:
        self.name = name
        self.prefix = prefix
        self.about = about
        self.blueprint = Blueprint(name, __name__, url_prefix=prefix or None)
        self.routes: list[Route] = []

    def get(self, path: str, *, guard: Guard, **declared: Any) -> Callable[[View], View]:
        """Declare a GET; see `route`."""
        return self.route("GET", path, guard=guard, **declared)

    def post(self, path: str, *, guard: Guard, **declared: Any) -> Callable[[View], View]:
        """Declare a POST; see `route`."""
        return self.route("POST", path, guard=guard, **declared)

    def put(self, path: str, *, guard: Guard, **declared: Any) -> Callable[[View], View]:
        """Declare a PUT; see `route`."""
        return self.route("PUT", path, guard=guard, **declared)

    def patch(self, path: str, *, guard: Guard, **declared: Any) -> Callable[[View], View]:
        """Declare a PATCH; see `route`."""
        return self.route("PATCH", path, guard=guard, **declared)

    def delete(self, path: str, *, guard: Guard, **declared: Any) -> Callable[[View], View]:
        """Declare a DELETE; see `route`."""
        return self.route("DELETE", path, guard=guard, **declared)

    def route(
        self,
        method: Method,
        path: str,
        *,
        guard: Guard,
        body: type[Schema] | None = None,
        query: type[Schema] | None = None,
        answer: type[Schema] | None = None,
        status: int = 200,
        idempotency: Idempotency = "none",
        transaction: TransactionMode = "one",
        refusals: tuple[type[Refusal], ...] = (),
        most_bytes: int = MOST_BODY_BYTES,
        produces: tuple[str, ...] = ("application/json",),
    ) -> Callable[[View], View]:
        """Declare one route.

        With `transaction="one"` the frame opens a transaction around the view; with "snapshot" one
        that only reads, all of it as of one moment; with "own" the view or the service it calls
        opens its own, as where the provider is called, or none, as on the hot road. With
        `idempotency="answer"` the frame keeps and replays the answer; with "domain" the key is
        required and the domain keeps the answer. `refusals` are for the documents; those of guard,
        body and key are added there. Without `body` the view may read the request's bytes itself,
        up to `most_bytes`. `produces` tells the documents what a ready Response holds; with
        `TABLE`, of `api.tables`, the answer is a table, and the caller chooses its form.
        """

        def declare(view: View) -> View:
            route = Route(
                resource=self.name,
                method=method,
                path=path,
                view=view,
                guard=guard,
                body=body() if body else None,
                query=query() if query else None,
                answer=answer() if answer else None,
                status=status,
                idempotency=idempotency,
                transaction=transaction,
                refusals=refusals,
                most_bytes=most_bytes,
                produces=produces,
            )
            refuse_misdeclared(route)
            self.routes.append(route)
            self.blueprint.add_url_rule(
                path, route.name, serving(route), methods=[method], provide_automatic_options=False
            )
            return view

        return declare
