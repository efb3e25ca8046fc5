import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

import chain
from chain import SignInRefused, StaffSignedIn, StoreScope, jobs
from chain.models import Guess, Shift, Staff
from kernel import clock, secrets
from kernel.db import db
from kernel.errors import RateLimited
from kernel.transaction import transaction
from tests.service.chain.staffing import PIN, add_staff
from tests.together import together
from tests.world import Till, World

WRONG = "000000"


@pytest.fixture
def till(world: World) -> Till:
    return world.add_till("A")


def _start(till: Till, number: str, pin: str, now: datetime) -> object:
    with transaction():
        return _work(till, number, pin, now)


def _work(till: Till, number: str, pin: str, now: datetime) -> object:
    return chain.start_shift(
        device_id=till.device_id, store_id=till.store_id, staff_number=number, pin=pin, now=now
    )


def test_a_shift_lasts_twelve_hours(world: World, till: Till):
    clerk = add_staff("1001", "clerk", stores=[world.stores["A"]])

    started = _start(till, "1001", PIN, world.now)

    assert isinstance(started, StaffSignedIn)
    assert (started.staff_id, started.role) == (clerk, "clerk")
    assert started.token.startswith("shf_")
    assert started.ends_at == world.now + timedelta(hours=12)
    row = db.session.get_one(Shift, started.id)
    assert row.token_digest == secrets.digest(started.token)


def test_a_clerk_of_another_store_is_refused_by_the_right_pin_only(world: World, till: Till):
    add_staff("1002", "clerk", stores=[world.stores["B"]])

    assert isinstance(_start(till, "1002", PIN, world.now), StoreScope)
    assert isinstance(_start(till, "1002", WRONG, world.now), SignInRefused)


@pytest.mark.parametrize("number", ["1001", "9999"])
def test_five_wrong_pins_lock_a_number_whether_somebody_has_it_or_not(
    world: World, till: Till, number: str
):
    add_staff("1001", "clerk", stores=[world.stores["A"]])

    answers = [_start(till, number, WRONG, world.now) for _ in range(5)]

    assert [type(answer) for answer in answers] == [SignInRefused] * 4 + [RateLimited]
    locked = _start(till, number, PIN, world.now + timedelta(minutes=14, seconds=59))
    assert isinstance(locked, RateLimited)
    assert locked.facts == {"retry_after": 1}


def test_the_lock_ends_after_fifteen_minutes(world: World, till: Till):
    add_staff("1001", "clerk", stores=[world.stores["A"]])
    for _ in range(5):
        _start(till, "1001", WRONG, world.now)
    later = world.now + timedelta(minutes=15)

    assert isinstance(_start(till, "1001", WRONG, later), SignInRefused)
    assert isinstance(_start(till, "1001", PIN, later), StaffSignedIn)


def test_a_right_pin_forgets_the_wrong_ones_before_it(world: World, till: Till):
    add_staff("1001", "clerk", stores=[world.stores["A"]])
    for _ in range(2):
        for _ in range(4):
            _start(till, "1001", WRONG, world.now)

        assert isinstance(_start(till, "1001", PIN, world.now), StaffSignedIn)


def test_pins_guessed_at_once_are_counted_one_by_one(app: Flask, world: World, till: Till):
    add_staff("1001", "clerk", stores=[world.stores["A"]])

    answers = together(app, [lambda: _work(till, "1001", WRONG, world.now)] * 10)

    assert sum(isinstance(answer, SignInRefused) for answer in answers) == 4
    assert sum(isinstance(answer, RateLimited) for answer in answers) == 6


def test_a_device_at_which_everybodys_pins_are_tried_is_locked(world: World, till: Till):
    add_staff("1001", "clerk", stores=[world.stores["A"]])
    numbers = [f"20{number:02}" for number in range(5)] * 4

    answers = [_start(till, number, WRONG, world.now) for number in numbers]

    assert [type(answer) for answer in answers] == [SignInRefused] * 19 + [RateLimited]
    assert isinstance(_start(till, "1001", PIN, world.now), RateLimited)
    elsewhere, later = world.add_till("A"), world.now + timedelta(minutes=15)
    assert isinstance(_start(elsewhere, "1001", PIN, world.now), StaffSignedIn)
    assert isinstance(_start(till, "1001", PIN, later), StaffSignedIn)


def test_a_pin_of_ones_own_does_not_free_a_device_of_the_wrong_ones(world: World, till: Till):
    add_staff("1001", "clerk", stores=[world.stores["A"]])
    for number in range(19):
        _start(till, f"20{number:02}", WRONG, world.now)
        assert isinstance(_start(till, "1001", PIN, world.now), StaffSignedIn)

    assert isinstance(_start(till, "2099", WRONG, world.now), RateLimited)
    assert isinstance(_start(till, "1001", PIN, world.now), RateLimited)


def test_right_pins_lock_no_device(world: World, till: Till):
    add_staff("1001", "clerk", stores=[world.stores["A"]])

    answers = [_start(till, "1001", PIN, world.now) for _ in range(21)]

    assert {type(answer) for answer in answers} == {StaffSignedIn}


def test_an_unknown_number_takes_as_long_as_a_wrong_pin(world: World, till: Till):
    add_staff("1001", "clerk", stores=[world.stores["A"]])
    _start(till, "1001", WRONG, world.now)  # the first one also prepares nobody's hash

    def fastest(number: str) -> float:
        return min(_seconds(till, number, world.now) for _ in range(2))

    assert fastest("9999") > fastest("1001") / 5


def _seconds(till: Till, number: str, now: datetime) -> float:
    started = time.perf_counter()
    assert isinstance(_start(till, number, WRONG, now), SignInRefused)
    return time.perf_counter() - started


def test_who_has_no_pin_or_is_disabled_is_refused_like_a_stranger(world: World, till: Till):
    add_staff("3001", "finance", stores=[world.stores["A"]])
    gone = add_staff("1009", "clerk", stores=[world.stores["A"]])
    with transaction():
        db.session.get_one(Staff, gone).disabled_at = world.now

    assert isinstance(_start(till, "3001", PIN, world.now), SignInRefused)
    assert isinstance(_start(till, "1009", PIN, world.now), SignInRefused)


def test_a_shift_ends_once(world: World, till: Till):
    for hours in (1, 2):
        with transaction():
            chain.end_shift(shift_id=till.shift_id, now=world.now + timedelta(hours=hours))

    assert db.session.get_one(Shift, till.shift_id).ended_at == world.now + timedelta(hours=1)


def test_wrong_tries_that_count_no_longer_are_forgotten(
    world: World, till: Till, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    _start(till, "8888", WRONG, world.now)
    _start(world.add_till("A"), "9999", WRONG, world.now + timedelta(minutes=10))
    ahead = (world.now + timedelta(minutes=20) - clock.now()).total_seconds()
    (tmp_path / "clock").write_text(f"{ahead}\n")
    monkeypatch.setenv("CLOCK_FILE", str(tmp_path / "clock"))

    jobs.forget_guesses()

    kept = db.session.scalars(select(Guess.failed_at)).all()
    assert kept == [world.now + timedelta(minutes=10)] * 2  # of the number, and of the device


def test_guessing_on_while_locked_does_not_prolong_the_lock(world: World, till: Till):
    add_staff("1001", "clerk", stores=[world.stores["A"]])
    for minutes in (0, 0, 0, 0, 0, 5, 10):
        _start(till, "1001", WRONG, world.now + timedelta(minutes=minutes))

    after = _start(till, "1001", PIN, world.now + timedelta(minutes=15))

    assert isinstance(after, StaffSignedIn)
