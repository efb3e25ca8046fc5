"""The memory of everything that `make up` starts."""

from bench.figures import Figures


def measure(figures: Figures, short: bool) -> None:
    """To be measured."""
