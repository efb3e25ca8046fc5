"""A process that dies at a place: before or after its so-manieth statement or provider's call."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import event

from kernel.db import db
from payments import gateway
from payments.gateway import CARDS, TERMINAL, Gateway
from tests.fakes import Crash

T = TypeVar("T")


@dataclass(frozen=True)
class Death:
    """Where it happens. `of` is "statement" or "call", `when` "before" or "after"."""

    of: str
    when: str
    number: int


class Fate:
    """Whether the process dies, and where. It dies once; its successor lives.

    `calls` are those of providers, in order; `deaths` counts.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.deaths = 0
        self._death: Death | None = None
        self._seen = 0

    @contextmanager
    def meeting(self, death: Death | None) -> Iterator[None]:
        """Let the work inside die there, if it comes that far."""
        if death is None:
            yield
            return
        self._death, self._seen = death, 0
        try:
            yield
        finally:
            self._death = None

    def pass_by(self, of: str, when: str) -> None:
        """Something happens at which a process may die."""
        death = self._death
        if death is None or (death.of, death.when) != (of, when):
            return
        self._seen += 1
        if self._seen == death.number:
            self._death = None
            self.deaths += 1
            raise Crash


class Mortal:
    """A gateway whose caller may die just before a request leaves, or when its answer is there."""

    def __init__(self, behind: Gateway, fate: Fate) -> None:
        self._behind = behind
        self._fate = fate

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._behind, name)

        def called(*args: Any, **facts: Any) -> Any:
            self._fate.calls.append(name)
            self._fate.pass_by("call", "before")
            answer = call(*args, **facts)
            self._fate.pass_by("call", "after")
            return answer

        return called


@contextmanager
def mortal(fate: Fate, *, cards: Gateway, terminal: Gateway) -> Iterator[None]:
    """Put every statement and every call of a provider within reach of fate."""
    before = lambda *_: fate.pass_by("statement", "before")  # noqa: E731  an event wants a function
    after = lambda *_: fate.pass_by("statement", "after")  # noqa: E731
    event.listen(db.engine, "before_cursor_execute", before)
    event.listen(db.engine, "after_cursor_execute", after)
    try:
        with (
            gateway.use(Mortal(cards, fate), CARDS),  # type: ignore[arg-type]
            gateway.use(Mortal(terminal, fate), TERMINAL),  # type: ignore[arg-type]
        ):
            yield
    finally:
        event.remove(db.engine, "before_cursor_execute", before)
        event.remove(db.engine, "after_cursor_execute", after)
