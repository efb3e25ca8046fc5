"""Every route of the application, as an attacker finds it: address, what it reads, who may call."""

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from inspect import Parameter, signature
from typing import Any, TypeVar
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
Test = TypeVar("Test", bound=Callable[..., None])


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


_TOGETHER = 8


def each(wanted: Callable[[Route], object]) -> Callable[[Test], Test]:
    """Call a test with every `target` of this sort, eight in one test; there is at least one.

    What fails says at which. Else pytest would take as long to begin two thousand tests as they do.
    """
    chosen = [target for target in TARGETS if wanted(target.route)]
    assert chosen, "no route is of this sort"
    sets = [chosen[at : at + _TOGETHER] for at in range(0, len(chosen), _TOGETHER)]
    named = [f"{some[0].label} and {len(some) - 1} more" for some in sets]

    def of_all(test: Test) -> Test:
        @wraps(test)
        def of_some(targets: Sequence[Target], **fixtures: Any) -> None:
            for target in targets:
                try:
                    test(target=target, **fixtures)
                except BaseException as problem:
                    problem.add_note(f"at {target.label}")
                    raise

        asked = signature(test)
        given = {"target": Parameter("targets", Parameter.POSITIONAL_OR_KEYWORD)}
        told = [given.get(name, one) for name, one in asked.parameters.items()]
        of_some.__signature__ = asked.replace(parameters=told)  # type: ignore[attr-defined]
        marked: Test = pytest.mark.parametrize("targets", sets, ids=named)(of_some)
        return marked

    return of_all


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
