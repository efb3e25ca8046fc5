"""CSV: read back by a strict reader, harmless in a spreadsheet."""

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .sample import FULL, NAMES, NOTHING, EverythingView, NamesView, NumbersView, csv_of


def read(file: bytes) -> list[list[str]]:
    return list(csv.reader(StringIO(file.decode("utf-8-sig"), newline=""), strict=True))


def test_a_file_begins_with_the_mark_that_excel_needs_and_ends_its_lines_as_the_rfc_says():
    file = csv_of(NumbersView(), (1,), (-2,))

    assert file == b"\xef\xbb\xbfnumber\r\n1\r\n-2\r\n"


def test_a_file_without_rows_has_its_names():
    assert csv_of(NumbersView()) == b"\xef\xbb\xbfnumber\r\n"


def test_every_kind_is_written_plainly():
    assert read(csv_of(EverythingView(), FULL, NOTHING)) == [
        NAMES,
        [
            "0199b5a0-0000-7000-8000-000000000001",
            "珍珠奶茶 10+1",
            "2026-01-14",
            "2026-01-14T04:30:00.000500+00:00",
            "952",
            "-2",
            "11",
            "0.9513",
            "true",
        ],
        [""] * len(NAMES),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "=cmd|' /C calc'!A0",
        '=HYPERLINK("http://127.0.0.1/?"&A1,"here")',
        "+1",
        "-2+3",
        "@SUM(1+1)",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        "＝1+1",
        "＋1",
        "－1",
        "＠SUM(1)",
        "=",
    ],
)
def test_what_looks_like_a_formula_gets_an_apostrophe(name):
    assert read(csv_of(NamesView(), (name,))) == [["name"], [f"'{name}"]]


@pytest.mark.parametrize(
    "name", ["Alice, Bob", 'A "B"', "A\r\nB", "A\nB", "A\rB", "1-2", "a=b", "x@example", " a ", "'"]
)
def test_other_text_is_read_as_it_was(name):
    assert read(csv_of(NamesView(), (name,))) == [["name"], [name]]


def test_numbers_below_nothing_are_numbers():
    assert csv_of(NumbersView(), (-1,)).endswith(b"\r\n-1\r\n")


@pytest.mark.parametrize("name", ["a\0b", "a\x07b", "a\ud800b", "a\x1bb", "a\ufffeb"])
def test_what_nobody_can_read_is_replaced(name):
    assert read(csv_of(NamesView(), (name,))) == [["name"], ["a\ufffdb"]]


def test_a_formula_behind_what_nobody_can_read_is_none_either():
    ((name,),) = read(csv_of(NamesView(), ("\0=1+1",)))[1:]

    assert name == "\ufffd=1+1"


@given(names=st.lists(st.text(st.characters()), max_size=5))
def test_whatever_the_names_there_are_as_many_rows_and_no_formula(names):
    (head, *rows) = read(csv_of(NamesView(), *((name,) for name in names)))

    assert head == ["name"]
    assert len(rows) == len(names)
    assert not any(name.startswith(("=", "+", "-", "@", "\t", "\r")) for (name,) in rows)
