"""What the documents say is the same where Python keeps no docstrings."""

import pytest

from api.app import RESOURCES
from api.docstrings import docstring
from api.tables import Table

_ROUTES = [route for resource in RESOURCES for route in resource.routes]


def test_without_docstrings_each_route_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    said = [docstring(route.view) for route in _ROUTES]

    for route in _ROUTES:
        monkeypatch.setattr(route.view, "__doc__", None)

    assert all(said)
    assert [docstring(route.view) for route in _ROUTES] == said


def test_without_docstrings_each_report_has_the_same_title(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = [route.answer for route in _ROUTES if route.is_table and route.answer is not None]
    titles = [Table(answer).title for answer in answers]

    for answer in answers:
        monkeypatch.setattr(type(answer), "__doc__", None)

    assert all(titles)
    assert [Table(answer).title for answer in answers] == titles


def test_what_says_nothing_has_no_docstring() -> None:
    def nothing() -> None:
        pass

    assert docstring(nothing) == ""
