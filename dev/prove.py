"""A year of generated trade, proved by tools that are not ours: `make prove`.

1. A chain trades for a year on engines of its own, and closes every month.
2. Every month is exported for beancount and for hledger, which must take it: each entry balances,
   and every account of every store ends with what the books say.
3. The balances that the tools compute are the books' own, to the dollar and to the cup.
4. A file in which one amount was changed is refused by both, or the proof would prove nothing.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from dev.prove_books import Book, empty_books, ours, play, written
from dev.prove_tools import TOOLS, Balances, Refused, Tool
from dev.telling import Telling
from kernel.embedded import CannotStart
from ledger.month import Month

_FIRST_ON = date(2025, 1, 1)
_SHOWN = 5
# A line's two legs in money, one after the other.
_LEGS = re.compile(r"^( +\S+  )(\d+)( [A-Z]{3}\n(?: .*CUPS\n)? +\S+  -)\2( )", re.MULTILINE)


class NotProved(Exception):  # noqa: N818  names the state
    """The books and a tool do not agree; the text says where."""


def main() -> int:
    """The exit code is 1 if anything is not proved, or a tool is not there."""
    asked = _arguments()
    missing = [name for tool in TOOLS for name in tool.missing()]
    if missing:
        return _sorry(
            f"{', '.join(missing)} not found. On Debian: apt-get install hledger beancount"
        )
    try:
        with TemporaryDirectory(prefix="jibei-prove-") as made:
            folder = Path(made)
            with empty_books(folder):
                months = play(
                    seed=asked.seed,
                    stores=asked.stores,
                    members=asked.members,
                    first_on=_FIRST_ON,
                )
                prove(months, folder)
    except (CannotStart, NotProved) as problem:
        return _sorry(str(problem))
    return 0


def prove(months: Sequence[Month], folder: Path) -> None:
    """Let every tool prove every month, two at a time, while the next one is exported.

    Raises:
        NotProved: a tool refuses a month or computes something else, or takes a changed one.
    """
    say = Telling("proving every month")
    with ThreadPoolExecutor(max_workers=2) as judges:
        going = []
        for month in months:
            say.now(f"{month}")
            book = ours(month)
            for tool in TOOLS:
                file = written(month, tool.form, folder)
                going.append(judges.submit(judged, tool, file, book))
        accounts = sum(future.result() for future in going)
    say.done(f"{len(months)} months × {len(TOOLS)} tools agree on {accounts:,} balances")
    say = Telling("changing one amount")
    refusals = [
        _refusal(tool, change, folder / f"{months[-1]}.{tool.ending}")
        for tool in TOOLS
        for change in (unbalanced, other_amount)
    ]
    say.done(f"refused {len(refusals)} times out of {len(refusals)}")


def judged(tool: Tool, file: Path, book: Book) -> int:
    """Let a tool take a file, and answer how many of its balances are the book's.

    Raises:
        NotProved: it refuses the file, or computes anything else.
    """
    try:
        tool.check(file)
        theirs = _by_store(tool.balances(file))
    except Refused as problem:
        raise NotProved(f"{tool.form} does not take {file.name}:\n{problem}") from None
    differences = [
        f"  {' '.join(cell)}: ours {book.get(cell, 0):,}, theirs {theirs.get(cell, 0):,}"
        for cell in sorted({*book, *theirs})
        if book.get(cell) != theirs.get(cell)
    ]
    if differences or not book:
        shown = "\n".join(differences[:_SHOWN])
        raise NotProved(f"{tool.form} computes other balances from {file.name}:\n{shown}")
    return len(book)


def _by_store(balances: Balances) -> Book:
    """Balances by store and account, whatever the account is kept by below that."""
    held: Counter[tuple[str, str, str]] = Counter()
    for (name, commodity), amount in balances.items():
        _, store, account, *_ = name.split(":")
        held[store, account, commodity] += amount
    return {cell: amount for cell, amount in held.items() if amount}


def _refusal(tool: Tool, change: Callable[[str], str], file: Path) -> str:
    """Answer what the tool says of a changed copy of a file."""
    changed = file.with_stem(f"{file.stem}-changed")
    changed.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")
    try:
        tool.check(changed)
    except Refused as refused:
        return str(refused)
    raise NotProved(f"{tool.form} takes {file.name} with a changed amount ({change.__name__}).")


def unbalanced(text: str) -> str:
    """The last line's debit is one dollar more than its credit."""
    legs = _last_legs(text)
    return f"{text[: legs.start(2)]}{int(legs[2]) + 1}{text[legs.end(2) :]}"


def other_amount(text: str) -> str:
    """The last line moves one dollar more: it balances, but the month does not end as it did."""
    legs = _last_legs(text)
    more = int(legs[2]) + 1
    return f"{text[: legs.start()]}{legs[1]}{more}{legs[3]}{more}{legs[4]}{text[legs.end() :]}"


def _last_legs(text: str) -> re.Match[str]:
    *_, legs = _LEGS.finditer(text)
    return legs


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m dev.prove",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, default=1, help="another one is another year")
    parser.add_argument("--stores", type=int, default=5)
    parser.add_argument("--members", type=int, default=12)
    return parser.parse_args()


def _sorry(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
