import json
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from kernel.wording import Count, Fact, Money, from_json, names_in, say, to_json

FACTS: list[tuple[Fact, str, str]] = [
    ("拿鐵 Latte", "拿鐵 Latte", "拿鐵 Latte"),
    (12, "12", "12"),
    (date(2026, 12, 22), "2026年12月22日", "22 December 2026"),
    (date(2027, 1, 1), "2027年1月1日", "1 January 2027"),
    (
        datetime(2026, 12, 22, 16, 5, tzinfo=UTC),
        "2026年12月23日 00:05",
        "23 December 2026 00:05",
    ),
    (Count(3, "cup"), "3 杯", "3 cups"),
    (Count(1, "cup"), "1 杯", "1 cup"),
    (Count(0, "visit"), "0 次", "0 visits"),
    (Count(1200, "bag"), "1,200 包", "1,200 bags"),
    (Count(1, "item"), "1 份", "1 item"),
    (Money(1000, "TWD"), "NT$1,000", "NT$1,000"),
    (Money(950, "GBP"), "GBP 9.50", "GBP 9.50"),
    (Money(1_234_505, "USD"), "USD 12,345.05", "USD 12,345.05"),
    (Money(1_500, "JPY"), "JPY 1,500", "JPY 1,500"),
    (Money(1_500, "CLP"), "CLP 1,500", "CLP 1,500"),
    (Money(1_234_005, "KWD"), "KWD 1,234.005", "KWD 1,234.005"),
]


@pytest.mark.parametrize(("fact", "zh", "en"), FACTS)
def test_a_fact_is_told_in_the_way_of_the_language(fact: Fact, zh: str, en: str):
    told = {"it": fact}

    assert say("「{it}」", told, language="zh-TW", time_zone="Asia/Taipei") == f"「{zh}」"
    assert say("“{it}”", told, language="en", time_zone="Asia/Taipei") == f"“{en}”"


def test_a_moment_is_told_in_the_time_zone_of_who_reads_it():
    moment = {"it": datetime(2026, 12, 22, 16, 5, tzinfo=UTC)}

    there = say("{it}", moment, language="en", time_zone="America/New_York")

    assert there == "22 December 2026 11:05"


@pytest.mark.parametrize("fact", [*(fact for fact, _, _ in FACTS), UUID(int=7)])
def test_a_fact_that_was_written_down_is_read_as_it_was(fact: Fact):
    written = json.dumps(to_json(fact))

    assert from_json(json.loads(written), kind=type(fact)) == fact


def test_the_facts_that_words_tell_are_named():
    assert names_in("{left} of {offer} end on {ends_on}; {{not this}}, {left}") == {
        "left",
        "offer",
        "ends_on",
    }


@pytest.mark.parametrize("words", ["{}", "{0}", "{left.count}", "{left!r}", "{left:>9}", "{left"])
def test_words_have_plain_names_in_them(words: str):
    with pytest.raises(ValueError, match=r"plain name|expected '}'"):
        names_in(words)
