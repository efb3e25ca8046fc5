"""Refusals as problems: which status, in which language, with which facts."""

import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from api import problems
from api.refusals import RangeTooWide
from kernel.errors import NotFound, Refusal
from ledger.errors import AccountNotAdjustable, CurrencyUnknown, PeriodState

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def kinds(of: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    """Every refusal of the project that has a code; those of tests are not asked."""
    for kind in of.__subclasses__():
        if hasattr(kind, "code") and not kind.__module__.startswith("tests."):
            yield kind
        yield from kinds(kind)


def test_every_refusal_is_explained(client: FlaskClient) -> None:
    del client
    unexplained = {kind.code for kind in kinds() if kind.code not in problems.catalogue()}

    assert unexplained == set()


def test_every_refusal_has_a_status(client: FlaskClient) -> None:
    del client
    assert {problems.status_of(kind) // 100 for kind in kinds()} == {4, 5}


def test_every_explanation_is_of_a_refusal(client: FlaskClient) -> None:
    del client
    assert problems.catalogue().keys() - {kind.code for kind in kinds()} == set()


def test_every_problem_is_told_in_both_languages() -> None:
    for slug, entry in problems.catalogue().items():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", slug)
        assert not CHINESE.search("".join(entry.en)), slug
        assert all(CHINESE.search(text) for text in entry.zh), slug


def test_every_word_for_a_fact_is_told_in_both_languages() -> None:
    for slug, entry in problems.catalogue().items():
        for fact, words in entry.words.items():
            assert f"{{{fact}}}" in entry.en[1], slug
            assert not any(CHINESE.search(en) for en, _ in words.values()), slug
            assert all(CHINESE.search(zh) for _, zh in words.values()), slug


@pytest.mark.parametrize(
    ("refusal", "english", "chinese"),
    [
        (
            RangeTooWide(asked=40, most=36, unit="months"),
            "40 months were asked for; one answer covers 36 at most.",
            "要求的範圍為 40 個月，一次最多 36 個月。",
        ),
        (
            AccountNotAdjustable(account="2131", instead="cups"),
            "2131 is what is owed for cups in wallets: change it by what moves cups.",
            "2131 是錢包中未取杯數的負債，只能隨杯數異動變更。",
        ),
        (
            PeriodState(state="soft", version=2),
            (
                "The month, in version 2, is soft-closed: close it next; an export before takes"
                " provisional=true."
            ),
            "此月份第 2 版目前為初步關帳：下一步是關帳；關帳前匯出請加上 provisional=true。",
        ),
        (
            CurrencyUnknown(currency="XTS", currencies=["JPY", "TWD"]),
            "The books know no XTS, only JPY, TWD.",
            "帳上沒有 XTS，只有 JPY、TWD。",
        ),
    ],
)
def test_codes_among_the_facts_read_as_words(refusal: Refusal, english: str, chinese: str) -> None:
    assert problems.told(refusal, "en").detail == english
    assert problems.told(refusal, "zh-TW").detail == chinese


def test_both_languages_tell_the_same_facts() -> None:
    for slug, entry in problems.catalogue().items():
        in_english = set(re.findall(r"{(\w+)}", entry.en[1]))
        assert in_english == set(re.findall(r"{(\w+)}", entry.zh[1])), slug


@pytest.mark.parametrize(
    ("header", "language", "title"),
    [
        (None, "en", "Not found"),
        ("zh-TW", "zh-TW", "找不到"),
        ("zh", "zh-TW", "找不到"),
        ("zh-Hant-HK, en;q=0.5", "zh-TW", "找不到"),
        ("en-GB, zh-TW;q=0.9", "en", "Not found"),
        ("zh-TW;q=0.1, en;q=0.8", "en", "Not found"),
        ("ja, zh-TW;q=0.5, en;q=0.4", "zh-TW", "找不到"),
        ("zh;q=0", "en", "Not found"),
        ("fr", "en", "Not found"),
        ("*", "en", "Not found"),
        (";;;q=x,,", "en", "Not found"),
    ],
)
def test_a_problem_is_told_in_the_callers_language(
    probe: FlaskClient, header: str | None, language: str, title: str
) -> None:
    answer = probe.get("/v1/nothing", headers={"Accept-Language": header} if header else {})

    assert answer.headers["Content-Language"] == language
    assert answer.json["title"] == title


def test_a_wrong_field_is_told_in_chinese(probe: FlaskClient) -> None:
    answer = probe.post("/v1/probes", json={"cups": 0}, headers={"Accept-Language": "zh-TW"})

    assert answer.json["errors"] == [
        {"field": "name", "message": "必填欄位。"},
        {"field": "cups", "message": "須介於 1 與 1000 之間。"},
    ]


def test_the_facts_of_a_case_are_typed_and_beside_the_message(probe: FlaskClient) -> None:
    probe_id = "0199b5a0-0000-7000-8000-000000000001"

    answer = probe.get(f"/v1/probes/{probe_id}")

    assert answer.json == {
        "probe_id": probe_id,
        "type": "/problems/not-found",
        "title": "Not found",
        "status": 404,
        "detail": "There is nothing here for you.",
        "reason": "not-found",
    }


def test_a_fact_that_is_missing_does_not_fail_the_answer() -> None:
    class Held(NotFound):
        code = "body-too-large"

    assert problems.told(Held(), "en").detail == "This address reads at most … bytes."


def test_a_bug_is_our_fault_and_says_where_it_is_logged(probe: FlaskClient) -> None:
    answer = probe.get("/v1/probes/bug")

    assert (answer.status_code, answer.json["reason"]) == (500, "internal-error")
    assert answer.json["request_id"] in answer.json["detail"]
    assert "0912345678" not in answer.text


@pytest.mark.parametrize("path", ["/v1/probes/outage", "/v1/probes/busy"])
def test_an_outage_asks_to_come_again(probe: FlaskClient, path: str) -> None:
    answer = probe.get(path)

    assert (answer.status_code, answer.json["reason"]) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "2"


def test_every_problem_can_be_looked_up(probe: FlaskClient) -> None:
    for slug, entry in problems.catalogue().items():
        described = probe.get(f"/problems/{slug}")
        assert described.status_code == 200
        assert described.json["zh-TW"] == {"title": entry.zh[0], "detail": entry.zh[1]}


def test_a_browser_gets_a_page_about_a_problem(probe: FlaskClient) -> None:
    answer = probe.get("/problems/csrf", headers={"Accept": "text/html,*/*;q=0.8"})

    assert answer.content_type == "text/html; charset=utf-8"
    assert "Not from our page" in answer.text
    assert "不是從我們的頁面送出" in answer.text


@pytest.mark.parametrize("slug", ["nothing", "%3Cscript%3E", "..", "%00"])
def test_a_problem_that_does_not_exist_is_not_found(probe: FlaskClient, slug: str) -> None:
    assert probe.get(f"/problems/{slug}").status_code == 404
