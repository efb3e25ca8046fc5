"""XLSX: read back by somebody else's reader, and looked into where that is not enough."""

import re
import subprocess
import sys
import tempfile
import zipfile
from datetime import date, datetime
from io import BytesIO
from itertools import repeat
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape
from xlsxwriter import Workbook

from api.tables.as_xlsx import SHEET_ROWS
from api.tables.refusals import WorkbookTooBig

from .sample import (
    FULL,
    NAMES,
    NOTHING,
    EverythingView,
    NamesView,
    NumbersView,
    cells_of,
    xlsx_of,
    xml_of,
)

LONGEST = 32_767


def name_of(text: str) -> object:
    """What a reader finds where this name was written."""
    ((name,),) = cells_of(xlsx_of(NamesView(), (text,)))[1:]
    return name


def test_every_kind_has_its_own_sort_of_cell():
    file = xlsx_of(EverythingView(), FULL, NOTHING)

    assert cells_of(file) == [
        tuple(NAMES),
        (
            "0199b5a0-0000-7000-8000-000000000001",
            "珍珠奶茶 10+1",
            datetime(2026, 1, 14),  # noqa: DTZ001  a workbook's days are naive moments
            "2026-01-14T04:30:00.000500+00:00",
            952,
            -2,
            11,
            0.9513,
            True,
        ),
    ]
    row = load_workbook(file)["rows"][2]
    formats = {name: cell.number_format for name, cell in zip(NAMES, row, strict=True)}
    assert (formats["book_on"], formats["rate"]) == ("yyyy\\-mm\\-dd", "0.00%")
    assert (formats["amount"], formats["lines"]) == ("#,##0", "0")


def test_the_names_stay_in_sight():
    sheet = load_workbook(xlsx_of(NumbersView(), (1,)))["rows"]

    assert sheet.freeze_panes == "A2"
    assert sheet["A1"].font.bold


@pytest.mark.parametrize(
    "name",
    ["=cmd|' /C calc'!A0", "=1+1", "+1", "-2+3", "@SUM(1+1)", "\t=1+1", "\r=1+1", "＝1+1",
     "{=1+1}", "http://127.0.0.1/", "mailto:a@b", "2026-01-14", "007", "1e5", "TRUE", "#REF!",
     " a ", "a\nb", "a\r\nb", "<t>&amp;</t>", "]]>", "_x0041_", "_x000D_", "<r>",
     "<r><t>a</t></r>", "<r></is></c><c><f>1+1</f></c><c><is></r>", "<r>&</r>", "", "🧋"],
)  # fmt: skip
def test_a_name_is_text_whatever_it_looks_like(name):
    file = xlsx_of(NamesView(), (name,))

    cell = load_workbook(file)["rows"]["A2"]

    assert cell.data_type != "f"
    assert unescape(cell.value or "") == name
    assert not re.search("<f[ />]", xml_of(file))
    assert 't="inlineStr"' in xml_of(file).partition('r="A2"')[2]
    assert "hyperlink" not in xml_of(file)


@pytest.mark.parametrize(("name", "is_quoted"), [("=1+1", True), ("-2+3", True), ("a=1", False)])
def test_what_looks_like_a_formula_stays_text_when_somebody_edits_it(name, is_quoted):
    cell = load_workbook(xlsx_of(NamesView(), (name,)))["rows"]["A2"]

    assert bool(cell.quotePrefix) is is_quoted


def test_an_escape_of_excels_own_is_no_escape():
    xml = xml_of(xlsx_of(NamesView(), ("_x0041_ _x41_ __x0041_",)))

    assert "<t>_x005F_x0041_ _x41_ __x005F_x0041_</t>" in xml


@pytest.mark.parametrize("name", ["a\0b", "a\x07b", "a\x1fb", "a\ud800b", "a\uffffb"])
def test_what_xml_cannot_hold_is_replaced(name):
    assert name_of(name) == "a\ufffdb"


@given(name=st.text(st.characters(), min_size=1))
def test_any_text_comes_back_or_is_seen_to_be_replaced(name):
    found = name_of(name)

    assert len(unescape(found)) == len(name)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a" * LONGEST, "a" * LONGEST),
        ("a" * (LONGEST + 1), "a" * (LONGEST - 1) + "…"),
        ("a" * 1_000_000, "a" * (LONGEST - 1) + "…"),
        ("茶" * LONGEST, "茶" * LONGEST),
        ("🧋" * 16_383, "🧋" * 16_383),
        ("🧋" * 16_384, "🧋" * 16_383 + "…"),
        ("a" + "🧋" * 16_384, "a" + "🧋" * 16_382 + "…"),
        ("\0" * (LONGEST + 1), "\ufffd" * (LONGEST - 1) + "…"),
    ],
    ids=["just", "one more", "a million", "Chinese", "pairs", "a pair more", "half", "unreadable"],
)
def test_a_text_that_is_too_long_for_a_cell_is_cut_and_this_is_said(name, found):
    file = xlsx_of(NamesView(), (name,), ("short",))

    assert cells_of(file)[1:] == [(found,), ("short",)]
    told = dict(row[:2] for row in cells_of(file, "about"))
    if found == name:
        assert "cut" not in told
    else:
        assert told["cut"].startswith("1 texts longer than 32767 characters")


@pytest.mark.parametrize(
    ("number", "found"),
    [
        (10**15 - 1, 10**15 - 1),
        (-(10**15) + 1, -(10**15) + 1),
        (10**15, str(10**15)),
        (2**63 - 1, str(2**63 - 1)),
        (-(2**63), str(-(2**63))),
    ],
)
def test_a_number_of_more_digits_than_excel_keeps_keeps_them_as_text(number, found):
    assert cells_of(xlsx_of(NumbersView(), (number,)))[1:] == [(found,)]


@pytest.mark.parametrize(
    ("day", "found"),
    [
        (date(1900, 3, 1), datetime(1900, 3, 1)),  # noqa: DTZ001
        (date(1900, 2, 28), "1900-02-28"),
        (date(1, 1, 1), "0001-01-01"),
        (date(2024, 2, 29), datetime(2024, 2, 29)),  # noqa: DTZ001
        (date(9999, 12, 31), datetime(9999, 12, 31)),  # noqa: DTZ001
    ],
)
def test_a_day_that_excel_counts_wrongly_is_text(day, found):
    row = (*NOTHING[:2], day, *NOTHING[3:])

    assert cells_of(xlsx_of(EverythingView(), row))[1][2] == found


@pytest.mark.parametrize(
    ("count", "sheets"),
    [(0, [0]), (1, [1]), (9, [9]), (10, [9, 1]), (18, [9, 9]), (400, [9] * 44 + [4])],
)
def test_rows_go_on_on_a_next_sheet_with_the_names_again(count, sheets):
    file = xlsx_of(NumbersView(), *((number,) for number in range(count)), sheet_rows=10)

    book = load_workbook(file)

    names = ["rows", *(f"rows {number}" for number in range(2, len(sheets) + 1))]
    assert book.sheetnames == [*names, "about"]
    found = [list(book[name].iter_rows(values_only=True)) for name in names]
    assert [len(rows) - 1 for rows in found] == sheets
    assert all(rows[0] == ("number",) for rows in found)
    assert [number for rows in found for (number,) in rows[1:]] == list(range(count))


def test_a_sheet_is_as_full_as_excel_allows_and_no_fuller():
    sheet = Workbook(BytesIO()).add_worksheet()

    assert sheet.write_number(SHEET_ROWS - 1, 0, 7) == 0
    assert sheet.write_number(SHEET_ROWS, 0, 7) == -1


@pytest.mark.parametrize("count", [9, 10])
def test_a_workbook_has_as_many_rows_as_it_may_on_all_its_sheets(count):
    file = xlsx_of(NumbersView(), *repeat((7,), count), sheet_rows=6, most_rows=10)

    assert load_workbook(file).sheetnames == ["rows", "rows 2", "about"]


def test_more_rows_than_a_workbook_may_have_are_refused_and_nothing_is_left(temporary):
    with pytest.raises(WorkbookTooBig) as refused:
        xlsx_of(NumbersView(), *repeat((7,), 11), most_rows=10)

    assert refused.value.facts == {"most": 10}
    assert list(temporary.iterdir()) == []


def test_a_sheet_too_big_for_a_plain_zip_is_refused_and_nothing_is_left(temporary, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100_000)

    with pytest.raises(WorkbookTooBig):
        xlsx_of(NumbersView(), *repeat((7,), 5_000))

    assert list(temporary.iterdir()) == []


def test_what_breaks_among_the_rows_breaks_the_workbook_and_nothing_is_left(temporary):
    with pytest.raises(ValueError, match="many"):
        xlsx_of(NumbersView(), (7,), ("many",))

    assert list(temporary.iterdir()) == []


def test_a_workbook_that_is_done_leaves_nothing_either(temporary):
    xlsx_of(NumbersView(), *repeat((7,), 25), sheet_rows=10)

    assert list(temporary.iterdir()) == []


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder where temporary files are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_process_that_makes_no_workbook_does_not_load_the_library():
    found = "import sys, api.tables; print('xlsxwriter' in sys.modules)"

    told = subprocess.run([sys.executable, "-c", found], check=True, capture_output=True, text=True)

    assert told.stdout == "False\n"


def test_the_last_sheet_says_what_the_rows_are():
    facts = {
        "period": "2026-01",
        "formula": "=opening + sold",
        "totals": {"closing": 389, "is_open": False},
        "control": [
            {"account": "2131", "report": 389, "difference": 0},
            {"account": "2132", "report": None, "difference": -1},
        ],
        "notes": ["one", 2],
        "nothing": None,
    }

    told = cells_of(xlsx_of(EverythingView(), FULL, facts=facts), "about")

    filled = [tuple(cell for cell in row if cell is not None) for row in told]
    assert [row for row in filled if row] == [
        ("Everything there is",),
        ("made_at", "2026-02-01T03:00:00+00:00"),
        ("period", "2026-01"),
        ("formula", "=opening + sold"),
        ("totals.closing", 389),
        ("totals.is_open", False),
        ("control",),
        ("account", "report", "difference"),
        ("2131", 389, 0),
        ("2132", -1),
        ("notes",),
        ("one",),
        (2,),
        ("nothing",),
        ("column", "meaning"),
        *((name, about) for name, about in ABOUT),
    ]


ABOUT = [
    ("store_id", "Which store."),
    ("name", "Its name."),
    ("book_on", "Its day."),
    ("event_at", "Its moment."),
    ("amount", "Its money."),
    ("cups", "Its cups."),
    ("lines", "Its lines."),
    ("rate", "Its rate."),
    ("is_due", "Whether."),
]


def test_the_same_table_is_the_same_file():
    first, second = (xlsx_of(EverythingView(), FULL).getvalue() for _ in range(2))

    assert first == second


def test_no_part_needs_the_zips_64_bit_form():
    parts = ZipFile(xlsx_of(EverythingView(), FULL)).infolist()

    assert {part.extract_version for part in parts} == {20}
