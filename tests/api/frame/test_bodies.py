"""What a body may look like: the frame's share of the table of bad input."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder, TestResponse
from werkzeug.wrappers import Response

ALICE = '{"name": "Alice"}'


def post(probe: FlaskClient, body: str | bytes, **headers: str) -> TestResponse:
    return probe.post("/v1/probes", data=body, content_type="application/json", headers=headers)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"   ", id="only spaces"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b"{'name': 'Alice'}", id="single quotes"),
        pytest.param(ALICE + "x", id="something behind it"),
        pytest.param(ALICE + ALICE, id="two values"),
        pytest.param('{"name": "Alice",}', id="trailing comma"),
        pytest.param('{"name": "Al\nice"}', id="raw line break in a string"),
        pytest.param('{"name": "Alice", "count": NaN}', id="NaN"),
        pytest.param('{"name": "Alice", "count": -Infinity}', id="infinity"),
        pytest.param('{"name": "Alice", "count": 1e999}', id="float beyond all bounds"),
        pytest.param('{"name": "Alice", "name": "Bob"}', id="a name twice"),
        pytest.param('{"name": "Alice", "n\\u0061me": "Bob"}', id="a name twice, once escaped"),
        pytest.param('{"parts": [{"cups": 1, "cups": 2}]}', id="a name twice inside"),
        pytest.param('{"count": ' + "9" * 5_000 + "}", id="5,000 digits"),
        pytest.param("[" * 5_000 + "]" * 5_000, id="5,000 levels of arrays"),
        pytest.param('{"a":' * 5_000 + "1" + "}" * 5_000, id="5,000 levels of objects"),
        pytest.param('{"a":' * 33 + "1" + "}" * 33, id="33 levels"),
        pytest.param(b'{"name": "Al\xffce"}', id="not UTF-8"),
        pytest.param(b'{"name": "\xed\xa0\x80"}', id="a surrogate in UTF-8"),
        pytest.param(ALICE.encode("utf-16"), id="UTF-16"),
        pytest.param(ALICE.encode("utf-16-le"), id="UTF-16 without its mark"),
        pytest.param(ALICE.encode("utf-32"), id="UTF-32"),
        pytest.param(ALICE.encode("utf-8-sig"), id="UTF-8 with a mark"),
    ],
)
def test_malformed_json_is_refused(probe: FlaskClient, body: str | bytes) -> None:
    answer = post(probe, body)

    assert (answer.status_code, answer.json["reason"]) == (400, "malformed-json")
    assert answer.content_type == "application/problem+json"


def test_thirty_two_levels_are_not_too_deep(probe: FlaskClient) -> None:
    answer = post(probe, '{"a":' * 32 + "1" + "}" * 32)

    assert {"field": "a", "message": "Unknown field."} in answer.json["errors"]


@pytest.mark.parametrize("body", ["[]", "null", "1", '"Alice"', "true"])
def test_a_body_that_is_no_object_is_not_valid(probe: FlaskClient, body: str) -> None:
    answer = post(probe, body)

    assert (answer.status_code, answer.json["reason"]) == (422, "validation")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("cups", bad) for bad in ("0", "-1", "1.9", "1.0", "1e1", '"1"', '"１"', '"1_0"')),
        *(("cups", bad) for bad in ("true", "null", "[1]", "{}", "9223372036854775808")),
        *(("count", bad) for bad in ("9223372036854775808", "-9223372036854775809", "9" * 4_000)),
        *(("name", bad) for bad in ('""', '"  "', "1", "null", '"Al\\u0000ice"', '"\\ud800"')),
        *(("name", bad) for bad in ('"Al\u202eice"', '"Al\u200bice"', '"Al\\tice"', '"\u3164"')),
        *(("name", bad) for bad in ('"Al\u2066ice"', '"\ufeff"', f'"{"a" * 101}"')),
        *(("at", bad) for bad in ('"2026-01-14T12:00:00"', '"2026-02-30T12:00:00Z"', "1", '""')),
        *(("at", bad) for bad in ('"2026-01-14"', '"20260114T120000Z"')),
        ("at", '"0001-01-01T00:00:00+14:00"'),
        *(("at", bad) for bad in ('"2026-01-14 12:00:00Z"', '"2026-01-14T12:00:00+25:00"')),
        *(("on", bad) for bad in ('"2026-02-30"', '"20260114"', '"2026-W03-3"', "20260114")),
        *(("store_id", bad) for bad in ('"x"', "1", '"{00000000-0000-0000-0000-000000000000}"')),
        *(("note", bad) for bad in ('"a\\u0000"', f'"{"a" * 21}"', "1")),
        *((wrong, "1") for wrong in ("role", "balance", "constructor", "__class__")),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(probe: FlaskClient, field: str, value: str) -> None:
    fields = {"name": '"Alice"', field: value}

    answer = post(probe, "{" + ",".join(f'"{name}": {is_}' for name, is_ in fields.items()) + "}")

    assert (answer.status_code, answer.json["reason"]) == (422, "validation")
    assert [error["field"] for error in answer.json["errors"]] == [field]


def test_an_error_inside_a_list_is_named_by_the_way_to_it(probe: FlaskClient) -> None:
    answer = probe.post("/v1/probes", json={"name": "Bob", "parts": [{"cups": 1}, {"cups": 0}]})

    assert [error["field"] for error in answer.json["errors"]] == ["parts.1.cups"]


def test_a_name_of_a_field_that_nobody_can_write_is_told_all_the_same(probe: FlaskClient) -> None:
    answer = post(probe, '{"name": "Alice", "\\ud800": 1}')

    assert (answer.status_code, answer.json["reason"]) == (422, "validation")


def test_of_a_thousand_errors_fifty_are_told(probe: FlaskClient) -> None:
    answer = probe.post("/v1/probes", json={f"field{number}": 1 for number in range(1_000)})

    assert len(answer.json["errors"]) == 50


@pytest.mark.parametrize(
    ("sent", "understood"),
    [
        ({"name": "  王小明 "}, {"name": "王小明"}),
        ({"name": "A", "cups": 1_000}, {"name": "A", "cups": 1_000}),
        ({"name": "A", "count": -(2**63)}, {"name": "A", "count": -(2**63)}),
        (
            {"name": "A", "at": "2026-01-14T12:00:00.5+08:00"},
            {"name": "A", "at": "2026-01-14T04:00:00.500000+00:00"},
        ),
        ({"name": "A", "on": "2024-02-29"}, {"name": "A", "on": "2024-02-29"}),
        ({"name": "🧋 Pearl"}, {"name": "🧋 Pearl"}),
    ],
)
def test_what_is_right_is_understood(probe: FlaskClient, sent: Any, understood: Any) -> None:
    answer = probe.post("/v1/probes", json=sent)

    assert (answer.status_code, answer.json) == (201, understood)


def test_an_answer_is_compact_and_in_utf_8(probe: FlaskClient) -> None:
    answer = probe.post("/v1/probes", json={"name": "珍珠奶茶", "cups": 2})

    assert answer.data == '{"name":"珍珠奶茶","cups":2}'.encode()
    assert answer.content_type == "application/json"


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "", "application/x-www-form-urlencoded", "application/jsonp", "text/json",
     "application/json; charset=utf-16", "multipart/form-data; boundary=x"],
)  # fmt: skip
def test_a_body_that_says_it_is_not_json_is_refused(probe: FlaskClient, content_type: str) -> None:
    answer = probe.post("/v1/probes", data=ALICE, content_type=content_type)

    assert (answer.status_code, answer.json["reason"]) == (415, "unsupported-media-type")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_a_body_may_say_its_charset(probe: FlaskClient, content_type: str) -> None:
    answer = probe.post("/v1/probes", data=ALICE, content_type=content_type)

    assert answer.status_code == 201


def test_a_body_over_64_kb_is_refused(probe: FlaskClient) -> None:
    answer = post(probe, ALICE + " " * (64 * 1024 - len(ALICE) + 1))

    assert (answer.status_code, answer.json["reason"]) == (413, "body-too-large")
    assert answer.json["most"] == 65_536


def test_a_body_of_64_kb_is_read(probe: FlaskClient) -> None:
    answer = post(probe, ALICE + " " * (64 * 1024 - len(ALICE)))

    assert answer.status_code == 201


@pytest.mark.parametrize(("size", "status"), [(65_536, 201), (65_537, 413), (200_000, 413)])
def test_a_body_in_pieces_is_bounded_too(probe: FlaskClient, size: int, status: int) -> None:
    request = EnvironBuilder("/v1/probes", method="POST", data=ALICE.ljust(size)).get_environ()
    del request["CONTENT_LENGTH"]
    request |= {"CONTENT_TYPE": "application/json", "wsgi.input_terminated": True}

    assert probe.open(request).status_code == status


def test_a_body_that_breaks_off_is_refused_even_where_what_came_is_whole(
    probe: FlaskClient,
) -> None:
    request = EnvironBuilder("/v1/probes", method="POST", data=ALICE).get_environ()
    request |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(ALICE) + 1)}

    answer = Response.from_app(probe.application, request)  # a client would mend the length

    assert (answer.status_code, answer.json["type"]) == (400, "/problems/bad-request")
