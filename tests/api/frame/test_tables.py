"""One declaration, three forms: who chooses, what goes out, and what happens when it breaks."""

import json
from contextlib import suppress
from functools import partial
from io import BytesIO
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest
from flask.testing import FlaskClient
from marshmallow import Schema
from openpyxl import load_workbook

from api import files
from api.auth import anyone, member
from api.openapi import described
from api.routing import Resource
from api.tables import TABLE, answering
from api.tables.answering import file_name
from api.tables.as_xlsx import write_xlsx
from api.tables.turns import workbook_turn
from tests.api.frame import tables as probed
from tests.api.frame.tables import NumbersView, tables

ADDRESS = "/v1/tables/all-numbers"
CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
KINDS = {"json": "application/json", "csv": CSV, "xlsx": XLSX}
AN_ID = "0199b5a0-0000-7000-8000-000000000001"


def test_without_a_wish_it_is_json(probe: FlaskClient) -> None:
    answer = probe.get(ADDRESS)

    assert answer.content_type == "application/json"
    assert answer.json == {
        "up_to": "3",
        "rows": [{"number": number, "name": f"=number {number}"} for number in (1, 2, 3)],
    }
    assert "Content-Disposition" not in answer.headers


@pytest.mark.parametrize("form", KINDS)
def test_the_address_says_which_form(probe: FlaskClient, form: str) -> None:
    answer = probe.get(f"{ADDRESS}?format={form}")

    assert (answer.status_code, answer.content_type) == (200, KINDS[form])
    assert answer.content_length == len(answer.data)
    assert answer.vary.to_header() == "Accept"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("text/csv", "csv"),
        (XLSX, "xlsx"),
        ("application/json", "json"),
        ("*/*", "json"),
        ("text/*", "csv"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "json"),
        ("application/json;q=0.5, text/csv", "csv"),
        (f"text/csv;q=0.1, {XLSX};q=0.2", "xlsx"),
        ("text/csv;q=0", "json"),
        ("image/png", "json"),
        ("", "json"),
        (";;,,q=x/", "json"),
    ],
)
def test_else_accept_says_which_form(probe: FlaskClient, accept: str, form: str) -> None:
    answer = probe.get(ADDRESS, headers={"Accept": accept})

    assert (answer.status_code, answer.content_type) == (200, KINDS[form])


def test_the_address_goes_before_accept(probe: FlaskClient) -> None:
    answer = probe.get(f"{ADDRESS}?format=json", headers={"Accept": "text/csv"})

    assert answer.content_type == "application/json"


@pytest.mark.parametrize("form", ["", "pdf", "CSV", "text/csv", "xls", "csv&format=csv", "%00"])
def test_a_form_that_there_is_not_is_refused(probe: FlaskClient, form: str) -> None:
    answer = probe.get(f"{ADDRESS}?format={form}")

    assert (answer.status_code, answer.json["reason"]) == (422, "validation")
    assert [error["field"] for error in answer.json["errors"]] == ["format"]


def test_a_form_that_there_is_not_is_refused_in_chinese_too(probe: FlaskClient) -> None:
    answer = probe.get(f"{ADDRESS}?format=pdf", headers={"Accept-Language": "zh-TW"})

    assert answer.json["errors"][0]["message"] == "必須是以下其中之一：json, csv, xlsx。"


def test_a_route_that_is_no_table_knows_no_form(probe: FlaskClient) -> None:
    assert probe.get("/v1/probes?format=csv").json["errors"][0]["field"] == "format"


def test_an_unknown_field_beside_the_form_is_refused(probe: FlaskClient) -> None:
    answer = probe.get("/v1/tables/again?format=csv&size=1")

    assert [error["field"] for error in answer.json["errors"]] == ["size"]


def test_csv_holds_the_rows_harmlessly(probe: FlaskClient) -> None:
    answer = probe.get(f"{ADDRESS}?format=csv&up_to=2")

    assert answer.data == b"\xef\xbb\xbfnumber,name\r\n1,'=number 1\r\n2,'=number 2\r\n"


def test_xlsx_holds_the_rows_and_what_they_are(probe: FlaskClient) -> None:
    answer = probe.get(f"{ADDRESS}?format=xlsx&up_to=2")

    book = load_workbook(BytesIO(answer.data))
    rows = [("number", "name"), (1, "=number 1"), (2, "=number 2")]
    assert list(book["rows"].iter_rows(values_only=True)) == rows
    assert book["rows"]["B2"].data_type == "s"
    told = {row[0]: row[1] for row in book["about"].iter_rows(values_only=True)}
    assert told["up_to"] == "2"
    assert told["number"] == "The number."
    assert "All numbers" in told
    assert told["made_at"].endswith("+00:00")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("format=csv", "all-numbers.csv"),
        ("up_to=2026-01&format=xlsx", "all-numbers-2026-01.xlsx"),
        (f"up_to={AN_ID}&format=csv", "all-numbers.csv"),
        ("up_to=%22%0D%0AX-A:%20b&format=csv", "all-numbers-X-A-b.csv"),
        ("up_to=珍珠&format=csv", "all-numbers.csv"),
        ("up_to=../../etc&format=csv", "all-numbers-etc.csv"),
    ],
)
def test_a_file_is_named_in_plain_ascii(probe: FlaskClient, query: str, name: str) -> None:
    answer = probe.get(f"{ADDRESS}?{query}")

    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'


def test_a_files_name_is_bounded() -> None:
    name = file_name("balance", {f"part{number}": "x" * 20 for number in range(9)}, "csv")

    assert len(name) == len("x" * 100 + ".csv")


@pytest.mark.parametrize(("form", "size"), [("json", 3_900_000), ("csv", 2_100_000)])
def test_a_big_answer_is_sent_from_a_file_and_whole(
    probe: FlaskClient, form: str, size: int
) -> None:
    with probe.get(f"{ADDRESS}?format={form}&up_to=100000") as answer:
        body = answer.data

    assert answer.content_length == len(body) > size
    if form == "json":
        assert [row["number"] for row in json.loads(body)["rows"]] == list(range(1, 100_001))
    else:
        assert body.endswith(b"\r\n100000,'=number 100000\r\n")


def test_a_big_workbook_is_whole(probe: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_IN_MEMORY", 1 << 15)
    with probe.get(f"{ADDRESS}?format=xlsx&up_to=10000") as answer:
        body = answer.data

    assert len(body) > 1 << 15
    rows = load_workbook(BytesIO(body), read_only=True)["rows"].iter_rows(values_only=True)
    assert [number for number, _ in rows][1:] == list(range(1, 10_001))


def test_the_temporary_file_is_gone_when_it_was_sent(probe: FlaskClient) -> None:
    before = open_files()

    with probe.get(f"{ADDRESS}?format=csv&up_to=100000", buffered=False) as answer:
        assert len(next(iter(answer.response))) > 0
        while_sent = open_files()

    assert len(while_sent) == len(before) + 1
    assert open_files() == before


@pytest.mark.parametrize("form", KINDS)
def test_what_breaks_at_the_last_row_is_a_problem_and_no_half_file(
    probe: FlaskClient, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_IN_MEMORY", 1 << 15)
    before = open_files()

    answer = probe.get(f"/v1/tables/{AN_ID}/spoilt?format={form}")

    assert (answer.status_code, answer.json["reason"]) == (500, "internal-error")
    assert "Content-Disposition" not in answer.headers
    assert open_files() == before


@pytest.mark.parametrize("form", KINDS)
def test_a_refusal_among_the_rows_is_an_answer(probe: FlaskClient, form: str) -> None:
    answer = probe.get(f"/v1/tables/refused?format={form}")

    assert (answer.status_code, answer.json["reason"]) == (409, "frame-probe-too-many")


def test_a_workbook_is_refused_while_another_is_made_and_csv_is_not(
    probe: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "workbook_turn", partial(workbook_turn, patience_s=0.05))
    with workbook_turn():
        refused = probe.get(f"{ADDRESS}?format=xlsx")
        csv = probe.get(f"{ADDRESS}?format=csv")

    assert (refused.status_code, refused.json["reason"]) == (503, "workbook-busy")
    assert refused.headers["Retry-After"] == "30"
    assert csv.status_code == 200
    assert probe.get(f"{ADDRESS}?format=xlsx").status_code == 200


def test_a_workbook_of_too_many_rows_is_refused_and_csv_is_advised(
    probe: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "write_xlsx", partial(write_xlsx, most_rows=5))

    answer = probe.get(f"{ADDRESS}?format=xlsx&up_to=6")

    assert (answer.status_code, answer.json["reason"]) == (422, "workbook-too-big")
    assert answer.json["most"] == 5
    assert "CSV" in answer.json["detail"]
    assert probe.get(f"{ADDRESS}?format=xlsx&up_to=5").status_code == 200


@pytest.mark.parametrize("form", KINDS)
def test_what_is_run_again_is_written_anew(probe: FlaskClient, form: str) -> None:
    probed.tried.clear()

    answer = probe.get(f"/v1/tables/again?format={form}")

    assert probed.tried == [0, 1]
    first = probe.get(f"{ADDRESS}?format={form}&up_to=1000")
    if form == "xlsx":
        assert load_workbook(BytesIO(answer.data))["rows"].max_row == 1_001
    else:
        assert answer.data == first.data


@pytest.mark.parametrize("form", ["json", "csv"])
def test_rows_may_come_from_an_open_cursor(probe: FlaskClient, form: str) -> None:
    answer = probe.get(f"/v1/tables/streamed?format={form}")

    if form == "json":
        rows = [{"number": number, "name": "n"} for number in range(1, 5_001)]
        assert answer.json["rows"] == rows
    else:
        assert answer.data.endswith(b"\r\n5000,n\r\n")


def test_a_snapshot_reads_as_of_one_moment_and_writes_nothing(probe: FlaskClient) -> None:
    read = probe.get("/v1/tables/counted")

    assert read.json == {"count": 0, "modes": ["repeatable read", "on"]}
    assert probe.get("/v1/tables/changed").status_code == 500
    assert probe.get("/v1/tables/promised").status_code == 500
    assert probe.get("/v1/tables/counted").json["count"] == 0


def test_the_documents_name_all_forms() -> None:
    document = described([tables])

    operation = document["paths"][ADDRESS]["get"]
    content = operation["responses"]["200"]["content"]
    assert set(content) == {"application/json", "text/csv", XLSX}
    assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/NumbersView"}
    assert content["text/csv"]["schema"]["type"] == "string"
    assert {"$ref": "#/components/parameters/Format"} in operation["parameters"]
    assert document["components"]["parameters"]["Format"]["schema"]["enum"] == list(KINDS)


def test_a_table_without_rows_is_refused_at_the_start() -> None:
    with pytest.raises(TypeError, match="rows"):
        declare(answer=Schema, produces=TABLE)


def test_a_table_without_an_answer_is_refused_at_the_start() -> None:
    with pytest.raises(TypeError, match="answer"):
        declare(produces=TABLE)


@pytest.mark.parametrize(
    "declared", [{"answer": NumbersView, "produces": TABLE}, {"transaction": "snapshot"}]
)
def test_what_only_reads_has_no_key(declared: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="only reads"):
        declare(guard=member, idempotency="answer", **declared)


def declare(**declared: Any) -> None:
    def view() -> None:
        """Do nothing."""

    def view_of_somebody(*, caller: Any) -> None:
        """Do nothing for somebody."""

    guard = declared.pop("guard", anyone)
    made = Resource("declared", "/v1/declared", "For the tests.").get("", guard=guard, **declared)
    made(view if guard is anyone else view_of_somebody)


def open_files() -> list[str]:
    """Name the temporary files that this process has open; they are deleted as they are made."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # that of the listing itself
            found.append(str(descriptor.readlink()))
    return sorted(name for name in found if name.startswith(gettempdir()) and "(deleted)" in name)
