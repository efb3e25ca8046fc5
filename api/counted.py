"""Answers that count even when they are a no: a wrong code, PIN or password."""

from collections.abc import Callable
from typing import TypeVar

from kernel.errors import Refusal
from kernel.transaction import again, transaction

T = TypeVar("T")


def counted(work: Callable[[], T | Refusal]) -> T:
    """Run work in one transaction of its own and answer what it answers.

    A refusal that is answered, and not raised, is raised here once all is committed: a wrong try
    that was rolled back would never have been counted.
    """
    answer = again(lambda: _committed(work))
    if isinstance(answer, Refusal):
        raise answer
    return answer


def _committed(work: Callable[[], T]) -> T:
    with transaction():
        return work()
