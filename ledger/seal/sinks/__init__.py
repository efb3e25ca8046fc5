"""Places outside that keep the heads of the chain, out of reach of whoever can change the books.

Each is one file with one function of `Sink`'s signature, and one line below.
"""

from typing import Protocol

from ledger.seal.head import Head
from ledger.seal.sinks import appended_file, mail, object_store


class Sink(Protocol):
    """What sends a head to a place that SEAL_TO names."""

    def __call__(self, place: str, head: Head) -> None:
        """Keep a head there; raise to have it tried again. The same head may come twice."""


SINKS: dict[str, Sink] = {
    "file": appended_file.keep,
    "mailto": mail.keep,
    "https": object_store.keep,
    "http": object_store.keep,
}


def keep(place: str, head: Head) -> None:
    """Keep a head at a place. Never inside a transaction: it talks to the outside."""
    SINKS[place.partition(":")[0]](place, head)
