"""Reading a list to its end, and nothing else."""

from datetime import UTC, date, datetime
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.paging import Page, page_of
from kernel.ids import new_id


def test_a_list_is_read_to_its_end_by_its_cursors(probe: FlaskClient) -> None:
    seen: list[int] = []
    query = "limit=3"
    while query:
        page = probe.get(f"/v1/probes?{query}").json
        seen += [item["number"] for item in page["items"]]
        query = f"limit=3&cursor={quote(page['next_cursor'])}" if page["next_cursor"] else ""

    assert seen == [1, 2, 3, 4, 5, 6, 7]


def test_a_page_that_ends_with_the_list_has_no_next_one(probe: FlaskClient) -> None:
    assert probe.get("/v1/probes?limit=7").json["next_cursor"] is None


def test_a_cursor_that_was_changed_by_one_letter_is_refused(probe: FlaskClient) -> None:
    cursor = probe.get("/v1/probes?limit=3").json["next_cursor"]

    for place in range(len(cursor) - 1):
        other = "A" if cursor[place] != "A" else "B"
        forged = cursor[:place] + other + cursor[place + 1 :]
        assert probe.get(f"/v1/probes?cursor={forged}").status_code == 422


def test_a_cursor_of_another_list_is_refused(probe_app: Flask, probe: FlaskClient) -> None:
    with probe_app.test_request_context("/v1/others"):
        page = page_of(
            lambda limit, _after: list(range(limit)),
            query={"limit": 2, "cursor": None},
            position=lambda number: (number,),
        )

    assert probe.get(f"/v1/probes?cursor={page['next_cursor']}").status_code == 422


@pytest.mark.parametrize(
    "position",
    [
        (datetime(2026, 1, 14, 4, 0, 0, 123_456, tzinfo=UTC), new_id()),
        (date(2026, 1, 14), 7, "珍珠"),
        (None, -1),
    ],
)
def test_a_position_comes_back_as_it_was(probe_app: Flask, position: tuple[object, ...]) -> None:
    with probe_app.test_request_context("/v1/others"):
        page = page_of(
            lambda limit, _after: list(range(limit)),
            query={"limit": 1, "cursor": None},
            position=lambda _number: position,
        )
        again = Page().load({"cursor": page["next_cursor"]})

    assert again == {"limit": 50, "cursor": position}
