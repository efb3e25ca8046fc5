"""Many at once, of whatever kind, and what each was told."""

from collections import Counter
from collections.abc import Callable, Sequence

from flask import Flask

from kernel.errors import Refusal
from kernel.transaction import again, transaction
from tests.together import together

Work = Callable[[], object]


def committed(work: Work) -> Work:
    """A verb as its edge runs it: one transaction, anew when PostgreSQL asks for that."""

    def attempt() -> object:
        with transaction():
            return work()

    return lambda: again(attempt)


def rush(app: Flask, works: Sequence[tuple[str, Work]]) -> Counter[tuple[str, str]]:
    """Start all works at once; answer how often which verb had which end.

    An end is `done`, the code of a refusal, or the name of whatever should not have happened.
    """

    def told(work: Work) -> str:
        try:
            work()
        except Refusal as refusal:
            return refusal.code
        except Exception as problem:  # noqa: BLE001  a racer must report whatever happened
            return type(problem).__name__
        return "done"

    ends = together(app, [lambda work=work: told(work) for _, work in works], in_transactions=False)
    return Counter(zip((verb for verb, _ in works), ends, strict=True))
