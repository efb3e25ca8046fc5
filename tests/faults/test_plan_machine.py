"""The state machine over plans, with the budget and the seed of `test_machine`."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import Engines
from tests.faults.plan_company import PlanCompany
from tests.faults.plan_company_machine import PlanCompanyWorld
from tests.faults.running import run
from tests.faults.sandbox_here import SandboxHere

pytestmark = pytest.mark.faults


def test_whatever_happens_to_a_plan_each_period_is_paid_and_granted_once(
    application: Flask,
    engines: Engines,
    configured: pytest.MonkeyPatch,
    served: SandboxHere,
    say: Callable[[str], None],
    steady: Callable[[], None],
    tmp_path: Path,
) -> None:
    run(
        PlanCompanyWorld,
        PlanCompany,
        application=application,
        engines=engines,
        served=served,
        say=say,
        steady=steady,
        folder=tmp_path,
        steps_in_ci=60,
        steps_of_one=60,
    )
