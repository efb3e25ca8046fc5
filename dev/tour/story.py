"""How the tour tells what it does: a progress line on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self, TypeVar

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Column
from rich.text import Text

T = TypeVar("T")

_PATIENCE_S = 90.0
_LOOK_EVERY_S = 0.2
_WIDTH_WITHOUT_TERMINAL = 100


class Off(Exception):  # noqa: N818  reads as what happened
    """Something is not as it must be; the message names what was expected and what was seen."""


class Story:
    """The telling of one tour. Use it as a context: it owns the terminal's last line."""

    def __init__(self, *, steps: int) -> None:
        self.console = Console(highlight=False)
        if not self.console.is_terminal:
            self.console = Console(highlight=False, width=_WIDTH_WITHOUT_TERMINAL)
        self._progress = Progress(
            SpinnerColumn(),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self._task = self._progress.add_task("", total=steps)
        self.checked = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def act(self, title: str) -> None:
        """Begin an act."""
        self._line(Text(f"\n{title}", style="bold"))

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Tell a step, and move the progress line on once it is done."""
        self._progress.update(self._task, description=title)
        self._line(Text.assemble(("› ", "cyan"), title))
        yield
        self._progress.advance(self._task)

    def tell(self, line: str) -> None:
        """Tell a detail of the step."""
        self._line(Text(f"    {line}", style="dim" if self.console.is_terminal else ""))

    def check(self, what: str, *, expected: object, seen: object) -> None:
        """Compare, and say so.

        Raises:
            Off: they differ.
        """
        if seen != expected:
            raise Off(f"{what}: expected {expected}, seen {seen}")
        self.checked += 1
        self._line(Text.assemble(("    ✓ ", "green"), f"{what}: {_plain(seen)}"))

    def wait(self, what: str, look: Callable[[], T | None]) -> T:
        """Look again and again until there is something to see, and answer that.

        Raises:
            Off: nothing was there for too long.
        """
        began = time.monotonic()
        while (found := look()) is None:
            if time.monotonic() - began > _PATIENCE_S:
                raise Off(f"{what}: expected within {_PATIENCE_S:.0f} s, not seen")
            time.sleep(_LOOK_EVERY_S)
        self.tell(f"… {what} ({time.monotonic() - began:.1f} s)")
        return found

    def show(self, what: RenderableType) -> None:
        """Show a picture or a table."""
        self.console.print(what)

    def _line(self, text: Text) -> None:
        self.console.print(text, soft_wrap=True)


def _plain(seen: object) -> str:
    return "yes" if seen is True else "no" if seen is False else str(seen)
