"""The command line, as an operator types it."""

import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

import cli
from kernel import clock
from kernel.db import db
from kernel.transaction import transaction
from ledger import proof
from ledger.models import BooksCheck, Unfolded

ROOT = Path(__file__).parents[3]
JIBEI = str(ROOT / "jibei")
CHANGED = "UPDATE entry SET event_at = event_at + interval '1 hour' WHERE kind = 'void'"


@dataclass(frozen=True)
class Done:
    """What a command has answered."""

    returncode: int
    stdout: str
    stderr: str


def jibei(*arguments):
    """Type a command, in this process: starting one takes longer than most commands."""
    done = CliRunner().invoke(cli.jibei, arguments, prog_name="jibei", catch_exceptions=False)
    return Done(done.exit_code, done.stdout, done.stderr)


def started(*arguments, cwd=ROOT):
    """Type a command, in a process of its own."""
    return subprocess.run(
        [JIBEI, *arguments],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_books_that_hold_are_code_0_from_any_folder(traded, tmp_path):
    done = started("books", "check", cwd=tmp_path)
    assert (done.returncode, done.stdout[:17]) == (0, "Everything holds.")
    assert "lines: " in done.stderr


def test_findings_are_code_1_and_stay_to_be_looked_at(traded, tamper):
    tamper(CHANGED)
    done = jibei("books", "check", "--json")
    found, summary = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 1
    assert found["invariant"] == "content"
    assert summary["findings"] == 1
    again = jibei("books", "findings")
    assert again.returncode == 1
    assert found["facts"]["entry_id"] in again.stdout
    assert "must be: What an entry and its lines say" in again.stdout


def test_a_check_that_was_killed_is_resumed(traded, tamper):
    tamper(CHANGED)
    with transaction():
        check_id = proof.begin(now=clock.now())
    steps = proof.go_on(check_id)
    next(steps)
    steps.close()
    done = jibei("books", "check", "--resume", "--json")
    assert done.returncode == 1
    with transaction():
        (run,) = db.session.scalars(select(BooksCheck)).all()
        assert (run.id, run.findings) == (check_id, 1)
        assert run.finished_at is not None
    more = jibei("books", "check", "--resume")
    assert (more.returncode, more.stdout) == (2, "")
    assert more.stderr == "No check was stopped half way: start one without --resume.\n"


def test_one_month_is_checked_alone(traded, tamper):
    tamper("UPDATE rollup_day SET debit = debit + 1 WHERE book_date = '2025-12-15'")
    assert jibei("books", "check", "--month", "2026-01").returncode == 0
    done = jibei("books", "check", "--month", "2025-12")
    assert done.returncode == 1
    assert done.stdout.startswith("sums: day 2025-12-15, account ")


def test_the_seal_is_verified_against_heads_outside(traded, tamper, tmp_path):
    assert jibei("books", "verify-seal").returncode == 0
    heads = tmp_path / "heads"
    heads.write_text('{"on": "2026-01-14", "number": 99, "chain": "%s"}\n' % ("00" * 32))
    done = jibei("books", "verify-seal", "--heads", str(heads))
    assert done.returncode == 1
    assert (
        "The first that is wrong: on 2026-01-14, number 99, found the journal ends" in done.stdout
    )


def test_heads_that_cannot_be_read_are_one_sentence(traded, tmp_path):
    (tmp_path / "heads").write_text("nothing\n")
    done = jibei("books", "verify-seal", "--heads", str(tmp_path / "heads"))
    assert done.returncode == 2
    assert done.stderr.startswith("Line 1 of the heads cannot be read: ")
    assert done.stderr.count("\n") == 1


def test_what_waits_is_folded_now(traded):
    traded.world.take(traded.till, traded.alice, 1)
    done = jibei("books", "fold")
    assert (done.returncode, done.stdout) == (0, "1 entries were summed and sealed.\n")
    with transaction():
        assert db.session.scalar(select(func.count()).select_from(Unfolded)) == 0


def test_roll_ups_that_are_wrong_are_rebuilt(traded, tamper):
    tamper("UPDATE rollup_day SET debit = debit + 1", "DELETE FROM rollup_month")
    refused = jibei("books", "rebuild")
    assert refused.returncode == 1  # nobody said yes
    assert jibei("books", "rebuild", "--yes").returncode == 0
    assert jibei("books", "check").returncode == 0


def test_a_month_is_exported_to_a_file_or_not_at_all(traded, tmp_path):
    out = tmp_path / "books.beancount"
    closed = jibei("books", "export", "2026-01", "--format", "beancount", "-o", str(out))
    assert closed.returncode == 2
    assert closed.stderr.startswith("Not possible: period-state")
    assert list(tmp_path.iterdir()) == []
    done = jibei(
        "books", "export", "2026-01", "--format", "beancount", "-o", str(out), "--provisional"
    )
    assert done.returncode == 0, done.stderr
    assert '"TWD"' in out.read_text()
    printed = started("books", "export", "2026-01", "--format", "beancount", "--provisional")
    assert printed.stdout == out.read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("books", "check", "--month", "2026-13"), "2026-13 is no month"),
        (("books", "check", "--month", "2025-12", "--resume"), "nothing to resume"),
        (("books", "export", "2026-01"), "Missing option '--format'"),
        (("books", "verify-seal", "--heads", "/nowhere"), "No such file"),
        (("books", "findings"), "never checked"),
        (("books", "close"), "No such command"),
    ],
)
def test_what_cannot_be_done_is_a_sentence_and_code_2(app, arguments, sentence):
    done = jibei(*arguments)
    assert done.returncode == 2
    assert sentence in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_database_that_is_away_is_one_sentence(app, configured):
    configured(DATABASE_URL="postgresql://nobody@127.0.0.1:1/jibei")
    done = jibei("books", "check")
    assert done.returncode == 2
    assert done.stderr == "The database cannot be reached, or cannot answer now.\n"


def test_an_environment_that_is_not_complete_is_named(app, configured):
    configured(SECRET_KEY="")
    done = jibei("books", "check")
    assert done.returncode == 2
    assert "SECRET_KEY" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "command", ["check", "findings", "verify-seal", "fold", "rebuild", "export"]
)
def test_every_command_says_what_it_is_for(command):
    done = jibei("books", command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"Usage: jibei books {command} ")


def test_help_needs_no_environment():
    done = subprocess.run(
        [JIBEI, "books", "--help"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: jibei ")


def test_ctrl_c_stops_a_check_which_then_goes_on(traded, tamper):
    """The signal may come at any moment: whatever was done by then, the rest is done later."""
    tamper(CHANGED)
    with subprocess.Popen(
        [JIBEI, "books", "check"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stderr is not None
        running.stderr.readline()  # it has begun
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    if running.returncode == 130:  # it was not through yet
        assert b"books check --resume" in said
        assert jibei("books", "check", "--resume").returncode == 1
    with transaction():
        (run,) = db.session.scalars(select(BooksCheck)).all()
        assert (run.findings, run.finished_at is not None) == (1, True)
