"""The end of the chain on a day, and the line of text in which it goes outside."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

_BYTES = 32


class HeadUnreadable(Exception):  # noqa: N818  names the state
    """A line that was kept outside is no head; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Head:
    """The journal had `number` entries when `on_date` was over, and `chain` is over all of them.

    It is made by the first tick after the day's end, and so may count some of the next morning's.
    """

    on_date: date
    number: int
    chain: bytes

    def line(self) -> str:
        """One line of JSON, the same wherever it goes, so that it can be kept and compared."""
        return json.dumps(
            {"on": self.on_date.isoformat(), "number": self.number, "chain": self.chain.hex()}
        )

    @classmethod
    def parse(cls, line: str) -> "Head":
        """Read a line back.

        Raises:
            HeadUnreadable: it is none.
        """
        try:
            said = json.loads(line)
            head = cls(
                date.fromisoformat(said["on"]), int(said["number"]), bytes.fromhex(said["chain"])
            )
        except (ValueError, KeyError, TypeError) as problem:
            raise HeadUnreadable(f"it is no head ({type(problem).__name__})") from None
        if head.number < 1 or len(head.chain) != _BYTES:
            raise HeadUnreadable("its number or its chain is none")
        return head


def parse_all(lines: Iterable[str]) -> Iterator[Head]:
    """Read what was kept outside, a head a line; empty lines are nothing.

    Raises:
        HeadUnreadable: with the number of the line.
    """
    for at, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield Head.parse(line)
            except HeadUnreadable as problem:
                raise HeadUnreadable(f"Line {at} of the heads cannot be read: {problem}.") from None
