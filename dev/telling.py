"""One line that says what goes on: it is written over at a terminal, else only its end is told."""

import sys
import time


class Telling:
    """A step that takes a while."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = time.monotonic()
        self._is_terminal = sys.stdout.isatty()

    def now(self, at: str) -> None:
        """How far it is."""
        if self._is_terminal:
            print(f"\r\x1b[K· {self._what}: {at}", end="", flush=True)

    def done(self, came_of_it: str) -> None:
        """What came of it, and how long it took."""
        start = "\r\x1b[K" if self._is_terminal else ""
        taken = time.monotonic() - self._began
        print(f"{start}· {self._what}: {came_of_it} ({taken:.1f} s)", flush=True)
