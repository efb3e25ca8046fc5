"""Text in pieces that are worth sending."""

from collections.abc import Callable, Iterable, Iterator

Progress = Callable[[int, int], None]
"""Hears how many days are done, and how many there are."""

_PIECE = 1 << 16


def gathered(parts: Iterable[str]) -> Iterator[str]:
    """Join small parts, so that each piece but the last has 64 KiB at least."""
    held: list[str] = []
    size = 0
    for part in parts:
        held.append(part)
        size += len(part)
        if size >= _PIECE:
            yield "".join(held)
            held.clear()
            size = 0
    if held:
        yield "".join(held)
