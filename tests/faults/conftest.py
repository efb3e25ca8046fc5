"""A sandbox for the test process, and our own gateways that talk to it."""

import os
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from kernel import clock
from kernel.config import config
from tests.conftest import Engines
from tests.faults.plan_stage import PlanStage
from tests.faults.sandbox_here import SandboxHere, running_sandbox
from tests.faults.stage import Stage, on_stage

_A_LOOK = timedelta(milliseconds=1)


@pytest.fixture(scope="session")
def served() -> Iterator[SandboxHere]:
    """The sandbox's server; whoever uses it begins with a fresh file."""
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def configured(
    engines: Engines, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[pytest.MonkeyPatch]:
    """Invoices go into a folder, the clock can be moved, and nobody waits between retries."""
    del engines
    monkeypatch.setenv("INVOICE_TO", f"file:{tmp_path}/invoices")
    monkeypatch.setenv("CLOCK_FILE", str(tmp_path / "clock"))
    monkeypatch.setattr("stripe._http_client.HTTPClient.INITIAL_DELAY", 0.0)
    monkeypatch.setattr("stripe._http_client.HTTPClient.MAX_DELAY", 0.0)
    config.cache_clear()
    yield monkeypatch
    monkeypatch.undo()
    config.cache_clear()


@pytest.fixture
def stage(
    app: Flask, configured: pytest.MonkeyPatch, served: SandboxHere, tmp_path: Path
) -> Iterator[Stage]:
    """The chain, its members, and the sandbox, at their beginning."""
    del configured
    with on_stage(app, served, tmp_path / "clock", tmp_path / "sandbox.sqlite3", Stage) as stage:
        yield stage


@pytest.fixture
def plan_stage(
    app: Flask, configured: pytest.MonkeyPatch, served: SandboxHere, tmp_path: Path
) -> Iterator[PlanStage]:
    """The chain with plans on sale, its members, and the sandbox, at their beginning."""
    del configured
    file = tmp_path / "sandbox.sqlite3"
    with on_stage(app, served, tmp_path / "clock", file, PlanStage) as stage:
        yield stage


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

    def common() -> datetime:
        nonlocal looks
        looks += 1
        return began + looks * _A_LOOK + clock._current_offset()  # noqa: SLF001  else it is real

    def begin_again() -> None:
        nonlocal looks
        looks = 0

    monkeypatch.setattr(clock, "common", common)
    return begin_again
