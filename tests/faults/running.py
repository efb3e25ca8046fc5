"""Running a state machine: a budget of steps and a seed, both from outside where they are given."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from random import SystemRandom

from flask import Flask
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import Engines, empty_database
from tests.faults.machine import Unreliable
from tests.faults.sandbox_here import SandboxHere
from tests.faults.stage import Stage, on_stage

_PHASES = [Phase.generate, *([] if os.environ.get("FAULTS_SHRINK") == "0" else [Phase.shrink])]


def run(
    machine: type[Unreliable],
    kind: type[Stage],
    *,
    application: Flask,
    engines: Engines,
    served: SandboxHere,
    say: Callable[[str], None],
    steady: Callable[[], None],
    folder: Path,
    steps_in_ci: int,
    steps_of_one: int,
) -> None:
    """Let a machine take its steps, each example on a stage of its own."""
    steps = int(os.environ.get("FAULTS_STEPS", steps_in_ci))
    chosen = int(os.environ.get("FAULTS_SEED") or SystemRandom().randrange(2**32))
    say(f"{machine.__name__} FAULTS_SEED={chosen} FAULTS_STEPS={steps}")
    done, before = 0, Unreliable.steps_in_all

    class OnStage(machine):  # type: ignore[valid-type,misc]  # whichever it is
        """Each example on a stage of its own."""

        def __init__(self) -> None:
            super().__init__()
            nonlocal done
            done += 1
            if done % 5 == 0:
                say(f"{Unreliable.steps_in_all - before} steps")
            steady()
            self._stack = ExitStack()
            self._stack.enter_context(empty_database(application, engines))
            file = folder / f"sandbox-{done}.sqlite3"
            clock_file = folder / "clock"
            self.stage = self._stack.enter_context(
                on_stage(application, served, clock_file, file, kind)
            )

        def teardown(self) -> None:
            with self._stack:
                super().teardown()

    run_state_machine_as_test(
        seed(chosen)(OnStage),
        settings=settings(
            max_examples=max(1, steps // steps_of_one),
            stateful_step_count=steps_of_one,
            database=None,
            deadline=None,
            print_blob=True,
            report_multiple_bugs=False,
            phases=_PHASES,
            suppress_health_check=list(HealthCheck),
        ),
    )
    say(f"{Unreliable.steps_in_all - before} steps, nothing found")
