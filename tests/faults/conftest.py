"""A sandbox for the test process, and our own gateways that talk to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from kernel.config import config
from tests.conftest import Engines
from tests.faults.sandbox_here import SandboxHere, running_sandbox
from tests.faults.stage import Stage, on_stage


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
    with on_stage(app, served, tmp_path / "clock", tmp_path / "sandbox.sqlite3") as stage:
        yield stage
