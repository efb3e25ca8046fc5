"""A month as hledger reads it (https://hledger.org/hledger.html#journal)."""

from collections.abc import Iterable

from ledger.export.about import About, facts_of
from ledger.export.naming import Names, component
from ledger.export.reading import CUPS, Leg, Posted, Standing


class Hledger:
    """Writes each part of the journal."""

    def __init__(self, about: About, names: Names) -> None:
        self._about = about
        self._names = names

    def head(self) -> str:
        """Everything before the first account."""
        return "".join(
            [
                f"; {self._about.sentence}\n",
                "decimal-mark .\n",
                *(f"commodity 1000. {each}\n" for each in [*self._about.currencies, CUPS]),
                "\n",
            ]
        )

    def account(self, standing: Standing) -> str:
        """Declare an account: a strict check refuses entries on any other."""
        facts = facts_of(standing.cell, self._names)
        said = "".join(f"    ; {name}: {_tag(fact)}\n" for name, fact in facts.items())
        return f"account {self._names.of(standing.cell)}\n{said}"

    def opening(self, store: str, standings: Iterable[Standing]) -> str:
        """What a store's book held before, as an entry, which must balance by itself."""
        held = "".join(
            f"    {self._names.of(standing.cell)}  {amount} {commodity}\n"
            for standing in standings
            for commodity, amount in standing.amounts.items()
            if amount
        )
        head = f"{self._about.month.before().last_on} * opening {component(store)}\n"
        return f"\n{head}{held}" if held else ""

    def entry(self, posted: Posted) -> str:
        """An entry; its code is the number of its seal, its tags are the rest."""
        number = f" ({posted.number})" if posted.number is not None else ""
        tags = [f"entry:{posted.id}"]
        if posted.occurred_on != posted.book_date:
            tags.append(f"occurred:{posted.occurred_on}")
        if posted.reverses_id:
            tags.append(f"reverses:{posted.reverses_id}")
        lines = [f"\n{posted.book_date} *{number} {posted.kind}  ; {', '.join(tags)}\n"]
        for pair in posted.pairs:
            lines += self._leg(pair.debit, posted.currency)
            lines += self._leg(pair.credit, posted.currency)
        return "".join(lines)

    def closing(self, store: str, standings: Iterable[Standing]) -> str:
        """What every account of a store must hold at the end: an entry that only asserts."""
        asserted = "".join(
            f"    {self._names.of(standing.cell)}  0 {commodity} = {amount} {commodity}\n"
            for standing in standings
            for commodity, amount in standing.amounts.items()
        )
        return f"\n{self._about.month.last_on} * closing {component(store)}\n{asserted}"

    def _leg(self, leg: Leg, currency: str) -> list[str]:
        name = self._names.of(leg.cell)
        moved = ((leg.amount, currency), (leg.cups, CUPS))
        return [f"    {name}  {amount} {commodity}\n" for amount, commodity in moved if amount]


def _tag(fact: str) -> str:
    """Text that stays one tag's value: a colon in it would begin another, a comma end it."""
    return fact.replace(":", "：").replace(",", "，")
