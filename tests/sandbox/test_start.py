"""Starting: settings, the clock, and the size of the process."""

import os
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from sandbox.config import Settings, SettingsError
from tests.sandbox.provider import ROOT, WEBHOOK_SECRET, Provider, gunicorn
from tests.sandbox.receiver import running_receiver


def test_everything_that_is_missing_or_wrong_is_named_at_once():
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment(
            {"SANDBOX_API_KEY": "pk_live_no", "SANDBOX_WEBHOOK_URL": "ftp://example.test"}
        )

    for name in (
        "SANDBOX_DB",
        "SANDBOX_API_KEY",
        "SANDBOX_WEBHOOK_URL must",
        "SANDBOX_WEBHOOK_SECRET",
    ):
        assert name in str(refused.value)


def test_gunicorn_stops_with_one_sentence_when_settings_are_missing():
    environment = {
        name: text for name, text in os.environ.items() if not name.startswith("SANDBOX_")
    }

    stopped = subprocess.run(
        [*gunicorn(), "--bind", "127.0.0.1:0", "sandbox.wsgi:app"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert stopped.returncode != 0
    assert "SANDBOX_DB must name the SQLite file" in stopped.stderr
    assert "Traceback" not in stopped.stderr


def test_gunicorn_stops_with_one_sentence_when_the_file_is_no_database(tmp_path: Path):
    file = tmp_path / "sandbox.sqlite3"
    file.write_text("no database " * 100)

    stopped = subprocess.run(
        [*gunicorn(), "--bind", "127.0.0.1:0", "sandbox.wsgi:app"],
        cwd=ROOT,
        env={**os.environ, "SANDBOX_DB": str(file), "SANDBOX_API_KEY": "sk_test_1"},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert stopped.returncode != 0
    assert f"{file} cannot be used (file is not a database): put it back" in stopped.stderr
    assert "Traceback" not in stopped.stderr


def test_times_and_signatures_follow_the_clock_file(own_provider: Provider):
    month = 30 * 24 * 3600
    with running_receiver() as receiver:
        own_provider.webhook_url = receiver.url
        own_provider.clock_file.write_text(f"{month}")
        own_provider.start()

        customer = own_provider.client().customers.create({})

        (received,) = receiver.wait_for("customer.created", customer.id)
        own_provider.stop()
    assert abs(customer.created - month - time.time()) < 30
    assert received.event(WEBHOOK_SECRET).created == customer.created
    signed_at = int(received.signature.split(",")[0].removeprefix("t="))
    assert abs(signed_at - month - time.time()) < 30


def test_master_and_worker_together_stay_small(own_provider: Provider):
    own_provider.start()
    client = own_provider.client()
    for _ in range(50):
        client.customers.create({"name": "Alice", "payment_method": "pm_card_visa"})

    (worker,) = (psutil.Process(pid) for pid in own_provider.worker_pids())
    master = worker.parent()
    assert master is not None
    resident_mib = sum(each.memory_info().rss for each in (master, worker)) / 2**20

    assert resident_mib < 57
