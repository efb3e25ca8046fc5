"""beancount and hledger, as they come from Debian: they judge the exported books."""

import csv
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

Balances = Mapping[tuple[str, str], int]
"""Debits less credits, by an account's name and the commodity. What is 0 may be left out."""


class Refused(Exception):  # noqa: N818  an answer of the tool's
    """The tool does not take a file; the text is what it says."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that proves books. `programs` are those that must be installed."""

    form: str
    ending: str
    programs: tuple[str, ...]
    check: Callable[[Path], None]
    balances: Callable[[Path], Balances]

    def missing(self) -> list[str]:
        return [name for name in self.programs if shutil.which(name) is None]


def _check_beancount(file: Path) -> None:
    _run("bean-check", str(file))


def _beancount_balances(file: Path) -> Balances:
    asked = "SELECT account, currency, sum(number) AS held GROUP BY account, currency"
    rows = csv.reader(StringIO(_run("bean-query", "-f", "csv", str(file), asked)))
    return _read(rows, head=["account", "currency", "held"])


def _check_hledger(file: Path) -> None:
    _run("hledger", "-f", str(file), "check", "--strict", "ordereddates")


def _hledger_balances(file: Path) -> Balances:
    asked = ("bal", "--flat", "--no-total", "--layout=bare", "-O", "csv")
    rows = csv.reader(StringIO(_run("hledger", "-f", str(file), *asked)))
    return _read(rows, head=["account", "commodity", "balance"])


TOOLS = (
    Tool(
        "beancount",
        "beancount",
        ("bean-check", "bean-query"),
        _check_beancount,
        _beancount_balances,
    ),
    Tool("hledger", "journal", ("hledger",), _check_hledger, _hledger_balances),
)


def _read(rows: Iterable[list[str]], *, head: Sequence[str]) -> Balances:
    cells = [[cell.strip() for cell in row] for row in rows if row]
    if not cells or cells[0] != list(head):
        raise Refused(f"the balances have other columns than {', '.join(head)}")
    return {(account, commodity): int(held) for account, commodity, held in cells[1:] if held}


def _run(*command: str) -> str:
    """Run a tool and answer what it prints; hledger reads UTF-8 only where the locale says so."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "BEANCOUNT_DISABLE_LOAD_CACHE": "1"}
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    words = done.stderr.decode(errors="replace") + done.stdout.decode(errors="replace")
    if done.returncode != 0:
        raise Refused(f"{' '.join(command)}\n{words.strip()}")
    return done.stdout.decode()
