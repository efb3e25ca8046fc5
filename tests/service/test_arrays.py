"""Arrays that are written by hand are read as what they were written from."""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import text

from kernel import arrays
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction


def read(written: str, kind: str) -> Any:
    with transaction():
        return db.session.scalar(text(f"SELECT CAST(:written AS {kind}[])"), {"written": written})


def test_ids_arrive_as_they_are(app: Flask):
    del app
    ids = [new_id(), new_id()]

    assert read(arrays.of_ids(ids), "uuid") == ids
    assert read(arrays.of_read(map(str, ids)), "uuid") == ids


def test_moments_arrive_to_the_microsecond(app: Flask):
    del app
    at = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    moments = [at, at + timedelta(microseconds=1)]

    assert read(arrays.of_moments(moments), "timestamptz") == moments


def test_numbers_arrive_with_their_sign(app: Flask):
    del app

    assert read(arrays.of_numbers([0, -1, 2**40]), "bigint") == [0, -1, 2**40]


def test_words_arrive_with_all_their_signs(app: Flask):
    del app
    words = ["pi_1", 'a "quoted" one', "back\\slash", "{1,2}", "NULL", "", "寄杯, two"]

    assert read(arrays.of_words(words), "text") == words


def test_nothing_is_an_empty_array(app: Flask):
    del app

    assert read(arrays.of_ids([]), "uuid") == []
