"""Nothing personal reaches the log: a canary in every place where a request can carry it."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import structlog
from flask.testing import FlaskClient

from kernel import logging as our_logging

from .principals import bearer, member_token

PHONE = "0912345678"
ABROAD = "+886912345678"


@pytest.fixture
def production(probe: FlaskClient) -> Iterator[None]:
    """Log as in production."""
    del probe
    our_logging.configure("production")
    yield
    our_logging.configure("development")


@pytest.mark.usefixtures("production")
def test_a_bug_is_logged_without_what_was_sent(
    probe: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    token = member_token()

    answer = probe.get(f"/v1/probes/bug?phone={PHONE}", headers=bearer(token))
    answer = probe.get("/v1/probes/bug", headers=bearer(token) | {"X-Phone": ABROAD})

    logged = capsys.readouterr().err
    line = json.loads(logged.splitlines()[-1])
    assert line["event"] == "request.failed"
    assert line["level"] == "error"
    assert line["route"] == "/v1/probes/bug"
    assert line["request_id"] == answer.json["request_id"]
    assert line["exception"][0]["type"] == "builtins.ValueError"
    assert any("break_down" in place for place in line["exception"][0]["at"])
    for secret in (PHONE, ABROAD, token, token[4:]):
        assert secret not in logged


@pytest.mark.usefixtures("production")
def test_a_database_error_is_logged_by_name_and_not_by_value(
    capsys: pytest.CaptureFixture[str],
) -> None:
    try:
        raise psycopg.errors.UniqueViolation(f"Key (phone)=({PHONE}) already exists.")
    except psycopg.Error as problem:
        structlog.get_logger().error("request.failed", exc_info=problem)

    line = json.loads(capsys.readouterr().err)
    assert line["exception"][0]["sqlstate"] == "23505"
    assert PHONE not in json.dumps(line)


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize(
    "secret",
    [PHONE, ABROAD, "886912345678", "0912-345-678", "mem_" + "A" * 43, "shf_" + "_-" * 20,
     "sk_test_abcdefgh", "sk_live_abcdefgh", "whsec_abcdefgh/+=", "off_" + "9" * 43],
)  # fmt: skip
def test_what_looks_like_a_secret_is_blotted_out(
    secret: str, capsys: pytest.CaptureFixture[str]
) -> None:
    structlog.get_logger().info("seen", what=f"it was {secret}.")
    logging.getLogger("elsewhere").warning("it was %s.", secret)

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line.get("what", line["event"]) for line in lines] == ["it was ….", "it was …."]


@pytest.mark.usefixtures("production")
def test_ids_and_counts_stay_readable(capsys: pytest.CaptureFixture[str]) -> None:
    kept: dict[str, Any] = {"id": "0199b5a0-0912-7000-8000-091234567800", "count": 912345678}

    structlog.get_logger().info("seen", **kept)

    line = json.loads(capsys.readouterr().err)
    assert {name: line[name] for name in kept} == kept


def test_in_development_a_line_is_for_reading(
    probe: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    del probe
    structlog.get_logger().warning("outbox.dead", topic="probe")

    logged = capsys.readouterr().err
    assert "outbox.dead" in logged
    assert "topic=probe" in logged
