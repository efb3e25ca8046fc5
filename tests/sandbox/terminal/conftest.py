"""Somebody behind the counter."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from tests.sandbox.provider import Provider

WAIT_SECONDS = 8.0


@dataclass
class Counter:
    """The terminals' provider as its client calls it, over plain HTTP."""

    provider: Provider

    def call(self, method: str, path: str, **sent: Any) -> tuple[int, dict[str, Any]]:
        """A status and a body."""
        answer = self.provider.raw(method, f"/terminal/v1/{path}", **sent)
        return answer.status_code, answer.json()

    def get(self, path: str) -> dict[str, Any]:
        status, shown = self.call("GET", path)
        assert status == 200, shown
        return shown

    def ask_for(self, amount: int = 500, *, payment_id: str = "") -> dict[str, Any]:
        """Show an amount on terminal A-1."""
        terms = {"amount": amount, "currency": "TWD", "terminal": "A-1"}
        status, shown = self.call("PUT", f"payments/{payment_id or new_id()}", json=terms)
        assert status == 200, shown
        return shown

    def tap(self, payment_id: str, outcome: str = "approved") -> dict[str, Any]:
        """Hold a card to the terminal."""
        path = f"test_helpers/payments/{payment_id}/tap"
        status, shown = self.call("POST", path, json={"outcome": outcome})
        assert status == 200, shown
        return shown

    def paid(self, amount: int = 500) -> str:
        """The id of a payment that a card has paid."""
        return str(self.tap(self.ask_for(amount)["id"])["id"])

    def refund(self, payment_id: str, amount: int, *, refund_id: str = "") -> dict[str, Any]:
        terms = {"payment": payment_id, "amount": amount}
        status, shown = self.call("PUT", f"refunds/{refund_id or new_id()}", json=terms)
        assert status == 200, shown
        return shown

    def wait_for(self, payment_id: str, status: str) -> dict[str, Any]:
        until = time.monotonic() + WAIT_SECONDS
        while (shown := self.get(f"payments/{payment_id}"))["status"] != status:
            assert time.monotonic() < until, shown
            time.sleep(0.02)
        return shown


def new_id() -> str:
    return uuid4().hex


@pytest.fixture
def counter(faulty: Provider) -> Counter:
    """Nobody holds a card to a terminal unless the test does."""
    faulty.set_faults(terminal_taps=0)
    return Counter(faulty)


@pytest.fixture
def own_counter(own_provider: Provider) -> Callable[[], Counter]:
    """A sandbox for one test, to be started more than once."""

    def start() -> Counter:
        own_provider.start()
        own_provider.set_faults(terminal_taps=0)
        return Counter(own_provider)

    return start
