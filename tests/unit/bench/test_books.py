"""What the figures of the books are taken from."""

import shutil
from typing import NamedTuple

import pytest

from bench import posting
from bench.bulk import Plan, TooLittleDisk, check_disk
from redemption import statements

GIGABYTE = 2**30


class Usage(NamedTuple):
    """What `shutil.disk_usage` answers."""

    total: int
    used: int
    free: int


@pytest.fixture
def free(monkeypatch):
    """Let so many gigabytes be free."""
    return lambda gigabytes: monkeypatch.setattr(
        shutil, "disk_usage", lambda _: Usage(0, 0, gigabytes * GIGABYTE)
    )


def test_a_hundred_million_lines_are_refused_where_less_than_60_gigabytes_are_free(free):
    plan = Plan(100_000_000, 300, is_whole=False)
    free(55)

    with pytest.raises(TooLittleDisk, match=r"need \d+ GB .* 55 GB are free"):
        check_disk(plan)

    free(60)
    check_disk(plan)


def test_a_redemption_without_books_writes_all_but_entry_and_lines():
    written = statements.WRITE.count("INSERT INTO")

    assert posting.WITHOUT_BOOKS.count("INSERT INTO") == written - 2
    assert "INSERT INTO entry" not in posting.WITHOUT_BOOKS
    assert "INSERT INTO line" not in posting.WITHOUT_BOOKS


def test_the_bench_speaks_of_the_same_rows_as_its_sql():
    assert str(posting.bench_id(10, 255)) == "0000000a-0000-7000-8000-0000000000ff"
