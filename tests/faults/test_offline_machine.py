"""The state machine over what is served without a network, with the budget of `test_machine`."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from random import SystemRandom

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import Engines, empty_database
from tests.faults.offline_field import open_field
from tests.faults.offline_machine import OfflineWorld

pytestmark = pytest.mark.faults

_STEPS_IN_CI = 160
_STEPS_OF_ONE = 20
_PHASES = [Phase.generate, *([] if os.environ.get("FAULTS_SHRINK") == "0" else [Phase.shrink])]


def test_whatever_is_served_offline_is_never_lost_and_never_more_than_its_capsules(
    application: Flask, engines: Engines, say: Callable[[str], None]
) -> None:
    steps = int(os.environ.get("FAULTS_STEPS", _STEPS_IN_CI))
    chosen = int(os.environ.get("FAULTS_SEED") or SystemRandom().randrange(2**32))
    say(f"OfflineWorld FAULTS_SEED={chosen} FAULTS_STEPS={steps}")

    class InField(OfflineWorld):
        """Each example in a field of its own."""

        def __init__(self) -> None:
            super().__init__()
            self._stack = ExitStack()
            self._stack.enter_context(empty_database(application, engines))
            self.field = open_field()

        def teardown(self) -> None:
            with self._stack:
                super().teardown()

    run_state_machine_as_test(
        seed(chosen)(InField),
        settings=settings(
            max_examples=max(1, steps // _STEPS_OF_ONE),
            stateful_step_count=_STEPS_OF_ONE,
            database=None,
            deadline=None,
            print_blob=True,
            phases=_PHASES,
            suppress_health_check=list(HealthCheck),
        ),
    )
    say(f"{OfflineWorld.steps_in_all} steps, nothing found")
