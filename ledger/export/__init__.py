"""The journal of a month as text that tools read which are not ours: the proof of every close.

A file stands alone: it opens with what the month before closed with, holds every entry, and ends
with what every account of every store must hold then. Cups are a second commodity: a line moves
them from its credit to its debit like its money, so they balance too. Two exports of one closed
version of a month are the same, byte for byte.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TextIO
from uuid import UUID

from ledger.errors import PeriodState
from ledger.export.journal import accountants, beancount, hledger
from ledger.export.pieces import Progress, gathered
from ledger.export.reading import Reading
from ledger.month import Month

__all__ = ["FORMS", "Form", "chunks", "write"]


@dataclass(frozen=True, slots=True)
class Form:
    """One form of an export: its name, how its files end, and what they are to HTTP."""

    name: str
    ending: str
    content_type: str
    parts: Callable[[Reading, Mapping[UUID, str], Progress], Iterator[str]]


FORMS: Mapping[str, Form] = {
    form.name: form
    for form in (
        Form("beancount", "beancount", "text/plain; charset=utf-8", beancount),
        Form("hledger", "journal", "text/plain; charset=utf-8", hledger),
        Form("csv", "csv", "text/csv; charset=utf-8", accountants),
    )
}


def write(
    *,
    month: Month,
    form: str,
    out: TextIO,
    offers: Mapping[UUID, str],
    is_provisional: bool = False,
    progress: Progress | None = None,
) -> None:
    """Write a month to `out`; the rest is as in `chunks`."""
    pieces = chunks(
        month=month, form=form, offers=offers, is_provisional=is_provisional, progress=progress
    )
    out.writelines(pieces)


def chunks(
    *,
    month: Month,
    form: str,
    offers: Mapping[UUID, str],
    is_provisional: bool = False,
    progress: Progress | None = None,
) -> Iterator[str]:
    """Answer a month piece by piece, each about 64 KiB, in memory that does not grow with it.

    Inside a snapshot, and to be used up there. `form` is a key of `FORMS`; `offers` are the codes
    of offers by id, which the books do not know; `progress` hears after each day how many are done
    and how many there are.

    Raises:
        PeriodState: the month is not closed, and it was not said that it need not be.
    """
    reading = Reading.of(month)
    if not reading.is_closed and not is_provisional:
        raise PeriodState(state=reading.state, version=reading.version)
    return gathered(FORMS[form].parts(reading, offers, progress or _silent))


def _silent(done: int, days: int) -> None:
    """Nobody listens."""
