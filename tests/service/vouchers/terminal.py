"""A card terminal in memory: it waits until somebody holds a card to it, or refuses one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from uuid import UUID

from payments import gateway
from payments.gateway import Charge, Intent
from tests.fakes import SLOW, FakeGateway


@dataclass
class FakeTerminal(FakeGateway):
    """Everything that it is asked for waits for a card first."""

    def charge(self, asked: Charge) -> Intent:
        return super().charge(replace(asked, method_ref=SLOW))

    def cancel(self, ref: str) -> Intent:
        with self._calling("cancel"):
            if self.intents[ref].status == "processing":
                self._change(ref, status="cancelled")
            return self.intents[ref]

    def tap(self, payment_id: UUID) -> None:
        """Somebody holds a good card to it."""
        self.finish(self._ref(payment_id))

    def refuse(self, payment_id: UUID) -> None:
        """Somebody holds a card to it that the bank refuses."""
        self._change(self._ref(payment_id), status="failed", failure="card_declined")

    def _ref(self, payment_id: UUID) -> str:
        refs = (ref for ref, seen in self.intents.items() if seen.payment_id == payment_id)
        return next(refs)


@contextmanager
def fake_terminal() -> Iterator[FakeTerminal]:
    """Put a fresh one beside every till."""
    fake = FakeTerminal()
    with gateway.use(fake, "terminal"):
        yield fake
