"""The state machine: a fixed budget here, as much as FAULTS_STEPS says in `make faults`.

FAULTS_SEED repeats a run; without it the seed is drawn, and printed. FAULTS_SHRINK=0 shows what was
found as it was found, at once.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import Engines
from tests.faults.machine import FaultyWorld
from tests.faults.running import run
from tests.faults.sandbox_here import SandboxHere
from tests.faults.stage import Stage

pytestmark = pytest.mark.faults


def test_whatever_fails_dies_or_comes_late_nothing_is_lost_or_doubled(
    application: Flask,
    engines: Engines,
    configured: pytest.MonkeyPatch,
    served: SandboxHere,
    say: Callable[[str], None],
    steady: Callable[[], None],
    tmp_path: Path,
) -> None:
    run(
        FaultyWorld,
        Stage,
        application=application,
        engines=engines,
        served=served,
        say=say,
        steady=steady,
        folder=tmp_path,
        steps_in_ci=400,
        steps_of_one=100,
    )
