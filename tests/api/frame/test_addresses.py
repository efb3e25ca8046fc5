"""Addresses, queries, methods and headers."""

import pytest
from flask.testing import FlaskClient

PROBES = "/v1/probes"


def test_a_path_that_is_not_there_is_a_problem(probe: FlaskClient) -> None:
    answer = probe.get("/v1/nothing")

    assert (answer.status_code, answer.json["type"]) == (404, "/problems/not-found")


@pytest.mark.parametrize("junk", ["x", "1", "../etc/passwd", "%00", "0" * 36, "null"])
def test_junk_for_an_id_is_not_found(probe: FlaskClient, junk: str) -> None:
    answer = probe.get(f"{PROBES}/{junk}")

    assert (answer.status_code, answer.json["reason"]) == (404, "not-found")


@pytest.mark.parametrize("path", ["/v1/probes/", "//v1/probes", "/v1//probes"])
def test_an_address_is_written_one_way(probe: FlaskClient, path: str) -> None:
    assert probe.get(path).status_code == 404


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_a_wrong_method_is_told_the_right_ones(probe: FlaskClient, method: str) -> None:
    answer = probe.open(PROBES, method=method)

    assert (answer.status_code, answer.json["reason"]) == (405, "method-not-allowed")
    assert answer.headers["Allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        *((f"limit={bad}", "limit") for bad in ("-1", "0", "201", "1.0", "1e1", "%EF%BC%91", "")),
        *((f"limit={bad}", "limit") for bad in ("1_0", "+1", "%201", "01", "9" * 30, "1%00")),
        ("limit=1&limit=2", "limit"),
        ("offset=3", "offset"),
        ("cursor=", "cursor"),
        ("cursor=AAAA", "cursor"),
        ("cursor=%00", "cursor"),
        (f"cursor={'A' * 600}", "cursor"),
        ("cursor=%E7%8F%8D", "cursor"),
    ],
)
def test_a_wrong_query_is_not_valid(probe: FlaskClient, query: str, field: str) -> None:
    answer = probe.get(f"{PROBES}?{query}")

    assert (answer.status_code, answer.json["reason"]) == (422, "validation")
    assert [error["field"] for error in answer.json["errors"]] == [field]


def test_a_query_that_a_route_does_not_know_is_refused(probe: FlaskClient) -> None:
    answer = probe.post(f"{PROBES}?role=admin", json={"name": "Alice"})

    assert answer.json["errors"] == [{"field": "role", "message": "Unknown field."}]


def test_an_address_over_4_kb_is_refused(probe: FlaskClient) -> None:
    answer = probe.get(f"{PROBES}?cursor={'A' * 4_097}")

    assert (answer.status_code, answer.json["reason"]) == (414, "address-too-long")


def test_headers_over_8_kb_are_refused(probe: FlaskClient) -> None:
    answer = probe.get(PROBES, headers={f"X-{number}": "a" * 1_000 for number in range(9)})

    assert (answer.status_code, answer.json["reason"]) == (431, "headers-too-large")


def test_every_answer_is_sealed(probe: FlaskClient) -> None:
    for answer in (probe.get(PROBES), probe.get("/v1/nothing"), probe.get("/v1/probes/bug")):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
