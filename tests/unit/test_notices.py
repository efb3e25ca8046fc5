"""Every notice that any room declares can be told, in both languages."""

import re

import pytest

import worker
from kernel.wording import Count, Language, names_in, say
from members.notices import NOTICES, Notice

assert worker.ROOMS  # what the worker imports is what can be sent

_TOLD = [pytest.param(one, id=name) for name, one in sorted(NOTICES.items())]


@pytest.mark.parametrize("notice", _TOLD)
@pytest.mark.parametrize("language", ["zh-TW", "en"])
def test_a_notice_is_told_with_all_its_facts(notice: Notice, language: Language):
    words = notice.words[language]

    for said in filter(None, (words.text, words.subject)):
        told = say(said, notice.facts, language=language, time_zone="Asia/Taipei")
        assert told
        assert "{" not in told
        assert "\n" not in words.subject
        for name in names_in(said):
            fact = {name: notice.facts[name]}
            shown = say(f"{{{name}}}", fact, language=language, time_zone="Asia/Taipei")
            assert shown in told


@pytest.mark.parametrize("notice", _TOLD)
def test_both_languages_tell_the_same_facts(notice: Notice):
    zh, en = (names_in(notice.words[language].text) for language in ("zh-TW", "en"))

    # What is told in whole sentences is there in each language.
    assert {name.removesuffix("_zh") for name in zh} == {name.removesuffix("_en") for name in en}


@pytest.mark.parametrize("notice", _TOLD)
def test_the_chinese_words_are_chinese_and_the_english_are_not(notice: Notice):
    zh, en = notice.words["zh-TW"], notice.words["en"]

    assert any("\u4e00" <= sign <= "\u9fff" for sign in zh.text)
    assert (zh.text + zh.subject).count("您") >= ("你" in zh.text + zh.subject)
    assert not any("\u4e00" <= sign <= "\u9fff" for sign in en.text + en.subject)


@pytest.mark.parametrize("notice", _TOLD)
def test_one_of_what_is_counted_is_not_told_as_many(notice: Notice):
    facts = {
        name: Count(1, fact.unit) if isinstance(fact, Count) else fact
        for name, fact in notice.facts.items()
    }

    told = say(notice.words["en"].text, facts, language="en", time_zone="Asia/Taipei")

    assert not re.search(r"\b1 (cup|item|bag|visit|period)\b[^.;]* (were|are|have)\b", told)
