"""A month as beancount reads it (https://beancount.github.io/docs/beancount_language_syntax.html).

Integers are exact there: without decimals beancount tolerates no difference at all.
"""

from collections.abc import Iterable

from ledger.export.about import About, facts_of
from ledger.export.naming import Names, component
from ledger.export.reading import CUPS, Leg, Posted, Standing


class Beancount:
    """Writes each part of the journal."""

    def __init__(self, about: About, names: Names) -> None:
        self._about = about
        self._names = names
        self._opens_on = about.month.before().last_on

    def head(self) -> str:
        """Everything before the first account."""
        return "".join(
            [
                f"; {self._about.sentence}\n",
                f'option "title" "Jibei {self._about.month}"\n',
                *(f'option "operating_currency" "{each}"\n' for each in self._about.currencies),
                "\n",
                *(
                    f"{self._opens_on} commodity {each}\n"
                    for each in [*self._about.currencies, CUPS]
                ),
                "\n",
            ]
        )

    def account(self, standing: Standing) -> str:
        """Open an account: beancount refuses entries on any other."""
        facts = facts_of(standing.cell, self._names)
        said = "".join(f"  {name}: {_quoted(fact)}\n" for name, fact in facts.items())
        return f"{self._opens_on} open {self._names.of(standing.cell)}\n{said}"

    def opening(self, store: str, standings: Iterable[Standing]) -> str:
        """What a store's book held before, as an entry, which must balance by itself."""
        held = "".join(
            f"  {self._names.of(standing.cell)}  {amount} {commodity}\n"
            for standing in standings
            for commodity, amount in standing.amounts.items()
            if amount
        )
        head = f'{self._opens_on} * "opening" "{component(store)}"\n'
        return f"\n{head}{held}" if held else ""

    def entry(self, posted: Posted) -> str:
        """An entry, linked by its id; a reversal is linked with what it reverses."""
        reverses = f" ^{posted.reverses_id}" if posted.reverses_id else ""
        lines = [f'\n{posted.book_date} * "{posted.kind}" ^{posted.id}{reverses}\n']
        if posted.number is not None:
            lines.append(f"  seal: {posted.number}\n")
        if posted.occurred_on != posted.book_date:
            lines.append(f"  occurred: {posted.occurred_on}\n")
        if posted.reverses_id:
            lines.append(f'  reverses: "{posted.reverses_id}"\n')
        for pair in posted.pairs:
            lines += self._leg(pair.debit, posted.currency)
            lines += self._leg(pair.credit, posted.currency)
        return "".join(lines)

    def closing(self, store: str, standings: Iterable[Standing]) -> str:
        """What every account of a store must hold when the month is over."""
        del store  # the accounts name it
        on = self._about.month.next_on
        return "\n" + "".join(
            f"{on} balance {self._names.of(standing.cell)}  {amount} {commodity}\n"
            for standing in standings
            for commodity, amount in standing.amounts.items()
        )

    def _leg(self, leg: Leg, currency: str) -> list[str]:
        name = self._names.of(leg.cell)
        moved = ((leg.amount, currency), (leg.cups, CUPS))
        return [f"  {name}  {amount} {commodity}\n" for amount, commodity in moved if amount]


def _quoted(fact: str) -> str:
    escaped = fact.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
