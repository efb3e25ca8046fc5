"""The state machine: a fixed budget here, as much as FAULTS_STEPS says in `make faults`.

FAULTS_SEED repeats a run; without it the seed is drawn, and printed. FAULTS_SHRINK=0 shows what was
found as it was found, at once.
"""

import os
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import SystemRandom

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from kernel import clock
from tests.conftest import Engines, empty_database
from tests.faults.machine import FaultyWorld
from tests.faults.sandbox_here import SandboxHere
from tests.faults.stage import on_stage

pytestmark = pytest.mark.faults

_A_LOOK = timedelta(milliseconds=1)
_STEPS_IN_CI = 400
_STEPS_OF_ONE = 100
_PHASES = [Phase.generate, *([] if os.environ.get("FAULTS_SHRINK") == "0" else [Phase.shrink])]


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print, at once where it takes long."""

    def say(what: str) -> None:
        with capfd.disabled() if "FAULTS_STEPS" in os.environ else nullcontext():
            print(what, flush=True)  # noqa: T201  the seed is there to be seen

    return say


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Time that passes by being looked at, so that the same steps meet the same moments.

    Else what is due would depend on how fast the machine is, and no example could be shortened.
    """
    began = datetime.now(UTC).replace(microsecond=0)
    looks = 0

    def now() -> datetime:
        nonlocal looks
        looks += 1
        return began + looks * _A_LOOK + clock._current_offset()  # noqa: SLF001  else it is real

    def begin_again() -> None:
        nonlocal looks
        looks = 0

    monkeypatch.setattr(clock, "now", now)
    return begin_again


def test_whatever_fails_dies_or_comes_late_nothing_is_lost_or_doubled(
    application: Flask,
    engines: Engines,
    configured: pytest.MonkeyPatch,
    served: SandboxHere,
    say: Callable[[str], None],
    steady: Callable[[], None],
    tmp_path: Path,
) -> None:
    steps = int(os.environ.get("FAULTS_STEPS", _STEPS_IN_CI))
    chosen = int(os.environ.get("FAULTS_SEED") or SystemRandom().randrange(2**32))
    say(f"FAULTS_SEED={chosen} FAULTS_STEPS={steps}")
    examples = max(1, steps // _STEPS_OF_ONE)
    done = 0

    class OnStage(FaultyWorld):
        """Each example on a stage of its own."""

        def __init__(self) -> None:
            super().__init__()
            nonlocal done
            done += 1
            if done % 25 == 0:
                say(f"{FaultyWorld.steps_in_all} steps")
            steady()
            self._stack = ExitStack()
            self._stack.enter_context(empty_database(application, engines))
            file = tmp_path / f"sandbox-{done}.sqlite3"
            clock_file = tmp_path / "clock"
            self.stage = self._stack.enter_context(on_stage(application, served, clock_file, file))

        def teardown(self) -> None:
            with self._stack:
                super().teardown()

    run_state_machine_as_test(
        seed(chosen)(OnStage),
        settings=settings(
            max_examples=examples,
            stateful_step_count=_STEPS_OF_ONE,
            database=None,
            deadline=None,
            print_blob=True,
            report_multiple_bugs=False,
            phases=_PHASES,
            suppress_health_check=list(HealthCheck),
        ),
    )
    say(f"{FaultyWorld.steps_in_all} steps, nothing found")
