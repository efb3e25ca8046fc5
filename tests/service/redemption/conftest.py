"""Whatever tills do, the books hold."""

import pytest


@pytest.fixture(autouse=True)
def everything_adds_up(books_hold: None) -> None:
    """After every test here, the books hold."""
