"""The proof refuses what does not agree; the tools themselves run in `make prove`."""

import subprocess
import sys
from pathlib import Path

import pytest

from dev.prove import NotProved, judged, other_amount, unbalanced
from dev.prove_tools import TOOLS, Refused, Tool

ROOT = Path(__file__).parents[2]
BOOK = {("A", "1111", "TWD"): 5, ("A", "2131", "TWD"): -5}
LEGS = {
    "beancount": "  Assets:A:1111  5 TWD\n  Assets:A:1111  1 CUPS\n  Liabilities:A:2131  -5 TWD\n",
    "hledger": "    Assets:A:1111  5 TWD\n    Liabilities:A:2131:X  -5 TWD\n",
}


def accepting(_: Path) -> None:
    """A tool that takes everything."""


def refusing(_: Path) -> None:
    raise Refused("it does not balance")


def tool(*, check=accepting, held=None):
    balances = {("Assets:A:1111", "TWD"): 5, ("Liabilities:A:2131:X", "TWD"): -5, **(held or {})}
    return Tool("beancount", "beancount", (), check, lambda _: balances)


def test_balances_that_agree_are_counted():
    assert judged(tool(), Path("2026-01.beancount"), BOOK) == 2


def test_what_an_account_is_kept_by_is_added_up():
    parts = {("Liabilities:A:2131:X", "TWD"): -2, ("Liabilities:A:2131:Y", "TWD"): -3}
    assert judged(tool(held=parts), Path("2026-01.beancount"), BOOK) == 2


@pytest.mark.parametrize(
    "held",
    [
        {("Assets:A:1111", "TWD"): 6},
        {("Assets:A:1111", "TWD"): 0},
        {("Assets:B:1111", "TWD"): 1},
        {("Assets:A:1111", "CUPS"): 1},
    ],
)
def test_a_balance_that_differs_is_shown(held):
    with pytest.raises(NotProved, match=r"(A|B) 1111 (TWD|CUPS): ours \d, theirs \d"):
        judged(tool(held=held), Path("2026-01.beancount"), BOOK)


def test_a_refusal_is_told_in_the_words_of_the_tool():
    with pytest.raises(NotProved, match="it does not balance"):
        judged(tool(check=refusing), Path("2026-01.beancount"), BOOK)


def test_books_without_anything_prove_nothing():
    empty = Tool("beancount", "beancount", (), accepting, lambda _: {})
    with pytest.raises(NotProved):
        judged(empty, Path("2026-01.beancount"), {})


@pytest.mark.parametrize("form", LEGS)
def test_the_last_line_is_what_is_changed(form):
    text = LEGS[form].replace("5", "4") + LEGS[form]
    assert unbalanced(text) == LEGS[form].replace("5", "4") + LEGS[form].replace("  5", "  6")
    assert other_amount(text) == LEGS[form].replace("5", "4") + LEGS[form].replace("5", "6")


def test_a_tool_that_is_not_there_is_named_with_what_to_install():
    done = subprocess.run(
        [sys.executable, "-m", "dev.prove"],
        cwd=ROOT,
        env={"PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "apt-get install hledger beancount" in done.stderr
    assert all(name in done.stderr for each in TOOLS for name in each.programs)
