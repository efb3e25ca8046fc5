"""How Hypothesis is used here: some examples of a property at every run, many by `make faults`."""

import os
from collections.abc import Sequence
from typing import TypeVar

from hypothesis import settings
from hypothesis.internal import charmap
from hypothesis.internal.conjecture import providers
from hypothesis.internal.intervalsets import IntervalSet

Value = TypeVar("Value")

_TIMES = int(os.environ.get("EXAMPLES_TIMES", "1"))
_TURNS = 4


def examples(some: int) -> int:
    """So many, or so many times as many where time is given."""
    return some * _TIMES


def in_turn(values: Sequence[Value], turn: int) -> Sequence[Value]:
    """Every fourth value, others at the next turn: four turns see all; or all where time is given.

    For what the same code reads everywhere. Tests that take turns are marked `in_turn`.
    """
    if _TIMES > 1:
        return values
    return values[turn % _TURNS :: _TURNS] or [values[turn % len(values)]]


# A shared machine may be slow at any moment; that is not what an example is about.
settings.register_profile("patient", deadline=None, max_examples=examples(40))
settings.load_profile("patient")

# Hypothesis would read 600 modules of ours for numbers and words to try, in each process, and what
# it tries would depend on which of them other tests have loaded.
providers._get_local_constants = lambda: providers._local_constants  # noqa: SLF001

# In each process of a fresh clone it would find out, by trying a million characters, that UTF-8
# can write all but halves of pairs.
_intervals = charmap.intervals_from_codec
_UTF_8 = IntervalSet(((0, 0xD7FF), (0xE000, 0x10FFFF))), IntervalSet(())
charmap.intervals_from_codec = lambda codec: _UTF_8 if codec == "utf-8" else _intervals(codec)
