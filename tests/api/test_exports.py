"""Finance takes the journal of a month along, for tools that are not ours."""

import csv
import re
from io import StringIO

import pytest

from api import files
from tests.api.desk import Desk, assert_problem, wrong_fields
from tests.api.months import close, soften

EXPORTS = "/v1/exports"
CLOSED = f"{EXPORTS}/2026-01"
FORMS = ("beancount", "hledger", "csv")
TOLD = {
    "beancount": ("text/plain; charset=utf-8", "books-2026-01.beancount"),
    "hledger": ("text/plain; charset=utf-8", "books-2026-01.journal"),
    "csv": ("text/csv; charset=utf-8", "books-2026-01.csv"),
}


@pytest.fixture
def trading(desk: Desk) -> Desk:
    """A sold a pack for 500, net 476, in January; B made one of its cups, for 43."""
    alice = desk.world.add_member()
    desk.sell(alice)
    desk.world.take(desk.world.add_till("B"), alice)
    return desk


@pytest.mark.parametrize("form", FORMS)
def test_a_closed_month_is_a_file_with_a_name_and_a_length(trading: Desk, form: str) -> None:
    close(trading, "2026-01")

    answer = trading.get(f"{CLOSED}?format={form}")

    kind, name = TOLD[form]
    assert (answer.status_code, answer.content_type) == (200, kind)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert answer.content_length == len(answer.data) > 0


@pytest.mark.parametrize("form", FORMS)
def test_a_closed_month_is_the_same_file_each_time(trading: Desk, form: str) -> None:
    close(trading, "2026-01")
    first = trading.get(f"{CLOSED}?format={form}").data
    trading.sell(trading.world.add_member())

    assert trading.get(f"{CLOSED}?format={form}", who="admin").data == first


@pytest.mark.parametrize("form", ["beancount", "hledger"])
def test_it_names_the_closing_and_asserts_what_is_owed(trading: Desk, form: str) -> None:
    close(trading, "2026-01")
    digest = trading.get("/v1/periods/2026-01").json["digest"]

    text = trading.get(f"{CLOSED}?format={form}").text

    assert f"closed, version 1: {digest}" in text
    assert re.search(r"2131\S*.* -433 TWD", text)
    assert re.search(r"2131\S*.* -10 CUPS", text)


def test_the_accountants_get_both_sides_of_every_line(trading: Desk) -> None:
    close(trading, "2026-01")

    text = trading.get(f"{CLOSED}?format=csv").text

    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(StringIO(text.removeprefix("\ufeff"), newline="")))
    sums = [sum(int(row[side] or 0) for row in rows) for side in ("debit", "credit")]
    assert sums[0] == sums[1] == 500 + 2 * 43


def test_a_name_that_looks_like_a_formula_stays_text(trading: Desk) -> None:
    label = {"starts_on": "2026-01-01", "name": "=1+1", "external_code": "@SUM(1)"}
    assert trading.put("/v1/accounts/2131/labels", **label).status_code == 200
    close(trading, "2026-01")

    text = trading.get(f"{CLOSED}?format=csv").text

    assert ",'@SUM(1),'=1+1," in text


@pytest.mark.parametrize("form", FORMS)
def test_an_open_or_soft_month_is_refused_unless_it_is_asked_for(trading: Desk, form: str) -> None:
    refused = trading.get(f"{CLOSED}?format={form}")
    assert_problem(refused, 409, "period-state")
    assert (refused.json["state"], refused.json["version"]) == ("open", 1)
    soften(trading, "2026-01")
    for query in ("", "&provisional=false"):
        refused = trading.get(f"{CLOSED}?format={form}{query}")
        assert_problem(refused, 409, "period-state")
        assert refused.json["state"] == "soft"

    answer = trading.get(f"{CLOSED}?format={form}&provisional=true")

    assert answer.status_code == 200
    assert "books-2026-01-provisional." in answer.headers["Content-Disposition"]
    assert form == "csv" or "provisional: the month is not closed" in answer.text


def test_a_month_without_entries_is_not_closed_either(desk: Desk) -> None:
    assert_problem(desk.get(f"{EXPORTS}/2020-01?format=csv"), 409, "period-state")
    answer = desk.get(f"{EXPORTS}/2020-01?format=hledger&provisional=true")
    assert answer.status_code == 200


@pytest.mark.parametrize("period", ["2026-02", "2026-13", "0001-01", "1969-12", "2026", "x"])
def test_what_is_no_month_that_has_begun_is_refused(desk: Desk, period: str) -> None:
    refused = desk.get(f"{EXPORTS}/{period}?format=csv&provisional=true")

    assert_problem(refused, 422, "period-invalid")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "format"),
        ("format=", "format"),
        ("format=xlsx", "format"),
        ("format=json", "format"),
        ("format=Beancount", "format"),
        ("format=csv&format=hledger", "format"),
        ("format=csv&provisional=1", "provisional"),
        ("format=csv&provisional=", "provisional"),
        ("format=csv&provisional=True", "provisional"),
        ("format=csv&store_id=A", "store_id"),
    ],
)
def test_a_form_that_there_is_not_is_refused(desk: Desk, query: str, field: str) -> None:
    assert wrong_fields(desk.get(f"{CLOSED}?{query}")) == [field]


def test_a_large_month_is_sent_from_a_file_and_whole(
    trading: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    close(trading, "2026-01")
    small = trading.get(f"{CLOSED}?format=beancount").data
    monkeypatch.setattr(files, "_IN_MEMORY", 100)

    with trading.get(f"{CLOSED}?format=beancount") as answer:
        large = answer.data

    assert answer.content_length == len(large)
    assert large == small


def test_managers_and_shoppers_take_nothing_along(trading: Desk) -> None:
    close(trading, "2026-01")
    path = f"{CLOSED}?format=csv"

    manager = trading.client.get(path, headers=trading.world.open_office("manager"))
    shopper = trading.client.get(path, headers=trading.world.sign_in(trading.world.add_member()))

    assert_problem(manager, 403, "forbidden")
    assert_problem(shopper, 401, "unauthenticated")


def test_the_documents_name_both_media_types(desk: Desk) -> None:
    operation = desk.get("/openapi.json").json["paths"]["/v1/exports/{period}"]["get"]

    assert set(operation["responses"]["200"]["content"]) == {"text/plain", "text/csv"}
    named = {one["name"]: one for one in operation["parameters"]}
    assert named["format"]["required"]
    assert named["format"]["schema"]["enum"] == list(FORMS)
