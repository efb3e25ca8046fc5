"""What the accounts of an export are called: names that beancount and hledger both take.

`Liabilities:A:2131:eleven` is account 2131 in the book of store A, for the offer `eleven`. Codes
are whatever somebody typed, and a name of a tool is not; what is written instead of a code stands
for that code alone, so no two accounts become one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from kernel.ids import NOBODY
from ledger.chart import Labelled
from ledger.legs import BETWEEN_STORES, OWED

_ROOTS = {
    "asset": "Assets",
    "liability": "Liabilities",
    "income": "Income",
    "expense": "Expenses",
}
# An account that the chart does not know: the proof shows it instead of stopping at it.
_ROOT_OF_UNKNOWN = "Equity"

_PLAIN = re.compile(r"[A-Z0-9][A-Za-z0-9-]*")
_ODD = re.compile(r"[^A-Za-z0-9]")
_MARK = "X-"
_NONE = "None"


class Cell(NamedTuple):
    """Where legs are summed; NOBODY where the account is not kept by offer, or by counterpart."""

    account: str
    store_id: UUID
    offer_id: UUID
    counterpart_store_id: UUID


@lru_cache(maxsize=4_096)
def component(code: str) -> str:
    """Write a code as a part of an account's name, so that different codes stay different.

    Codes of letters, digits and hyphens that begin with a capital or a digit stay as they are.
    Others begin with `X-`, and have `-<code point>-` for all but letters and digits: `X-eleven`,
    `X--53f0--5317-`.
    """
    if _PLAIN.fullmatch(code) and code != _NONE and not code.startswith(_MARK):
        return code
    return _MARK + _ODD.sub(lambda odd: f"-{ord(odd[0]):x}-", code)


@dataclass(frozen=True, slots=True)
class Names:
    """The codes of stores and offers, and the chart, on the day of an export.

    What has no code is called by its id.
    """

    stores: Mapping[UUID, str]
    offers: Mapping[UUID, str]
    accounts: Mapping[str, Labelled]

    def of(self, cell: Cell) -> str:
        """The whole name of an account in both tools."""
        account = self.accounts.get(cell.account)
        root = _ROOTS[account.kind] if account else _ROOT_OF_UNKNOWN
        name = f"{root}:{component(self.store(cell.store_id))}:{component(cell.account)}"
        if cell.account in OWED:
            return f"{name}:{_part(self.offer(cell.offer_id))}"
        if cell.account in BETWEEN_STORES:
            return f"{name}:{_part(self.store(cell.counterpart_store_id))}"
        return name

    def store(self, store_id: UUID) -> str:
        return _code_of(store_id, self.stores)

    def offer(self, offer_id: UUID) -> str:
        return _code_of(offer_id, self.offers)


def _code_of(of_id: UUID, codes: Mapping[UUID, str]) -> str:
    return "" if of_id == NOBODY else codes.get(of_id, str(of_id))


def _part(code: str) -> str:
    return component(code) if code else _NONE
