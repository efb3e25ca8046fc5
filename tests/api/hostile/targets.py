"""Every route of the application, as an attacker finds it: address, what it reads, who may call."""

import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.app import RESOURCES
from api.errors import PROBLEM_JSON
from api.route import Route
from kernel.ids import new_id
from tests.api.hostile.examples import example

_NAMES = re.compile(r"<(?:[^:>]+:)?(\w+)>")
NEEDED = ("type", "title", "status", "detail", "reason")

Headers = Mapping[str, str]


@dataclass(frozen=True)
class Target:
    """A route and its whole address."""

    route: Route
    address: str
    turn: int
    """Its place among all, see `in_turn`."""

    @property
    def label(self) -> str:
        return f"{self.route.method} {self.described}"

    @property
    def described(self) -> str:
        """The address as the documents write it."""
        return _NAMES.sub(r"{\1}", self.address)

    @property
    def example(self) -> Any:
        """A body that is valid, or None where none is read."""
        return None if self.route.body is None else example(self.route.body)

    def path(self, ids: Mapping[str, str]) -> str:
        """The address with these ids; a name that is not among them has no thing in the cast."""
        return _NAMES.sub(lambda found: ids[found[1]], self.address)

    def call(
        self,
        client: FlaskClient,
        ids: Mapping[str, str],
        headers: Headers,
        query: str | None = None,
        **other: Any,
    ) -> TestResponse:
        """Call it with a fresh key and a valid body and query, unless others are given."""
        sent = {**headers}
        if self.route.idempotency != "none":
            sent.setdefault("Idempotency-Key", new_id().hex)
        if self.route.body is not None and not other.keys() & {"json", "data"}:
            other["json"] = self.example
        if query is None and self.route.query is not None:
            query = urlencode(example(self.route.query))
        address = f"{self.path(ids)}?{query}" if query else self.path(ids)
        return client.open(address, method=self.route.method, headers=sent, **other)


_PLACES = itertools.count()
TARGETS = [
    Target(route, resource.prefix + route.path, next(_PLACES))
    for resource in RESOURCES
    for route in resource.routes
]


def each(wanted: Callable[[Route], object]) -> pytest.MarkDecorator:
    """Run a test for every route of this sort; there is at least one."""
    chosen = [target for target in TARGETS if wanted(target.route)]
    assert chosen, "no route is of this sort"
    return pytest.mark.parametrize("target", chosen, ids=[target.label for target in chosen])


def everywhere(_route: Route) -> bool:
    """Every route."""
    return True


def assert_problem(answer: TestResponse, status: int, slug: str, sent: object = None) -> None:
    """Assert that it is this problem, whole, in the form that RFC 9457 gives it."""
    problem = answer.json if answer.is_json else {"reason": answer.text[:200]}
    assert (answer.status_code, problem["reason"]) == (status, slug), (sent, answer.text[:500])
    assert answer.content_type == PROBLEM_JSON
    assert all(problem[name] for name in NEEDED)
    assert (problem["type"], problem["status"]) == (f"/problems/{slug}", status)
