"""What an export says about itself and its accounts, before the first entry."""

import re
from dataclasses import dataclass

from ledger.export.naming import Cell, Names
from ledger.legs import BETWEEN_STORES, OWED
from ledger.month import Month

_UNREADABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class About:
    """The month of an export. Nothing here changes from one export to the next."""

    month: Month
    version: int
    digest: bytes | None
    currencies: list[str]

    @property
    def sentence(self) -> str:
        """Which books these are, in one line."""
        if self.digest is None:
            return f"The books of {self.month}, provisional: the month is not closed."
        return f"The books of {self.month}, closed, version {self.version}: {self.digest.hex()}"


def facts_of(cell: Cell, names: Names) -> dict[str, str]:
    """What people call an account, its store, and what it is kept by, each in one line of text."""
    account = names.accounts.get(cell.account)
    facts = {"store": names.store(cell.store_id), "account": cell.account}
    if account is not None:
        facts |= {"external": account.external_code, "title": account.name}
    if cell.account in OWED:
        facts["offer"] = names.offer(cell.offer_id)
    if cell.account in BETWEEN_STORES:
        facts["counterpart"] = names.store(cell.counterpart_store_id)
    return {name: _UNREADABLE.sub(" ", fact) for name, fact in facts.items() if fact}
