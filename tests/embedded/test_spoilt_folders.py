"""Whatever is found in a data folder, the server starts, or a sentence says what to do."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kernel.embedded import CannotStart, running_postgres
from kernel.embedded.errors import why
from tests.embedded.sql import one


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with it all."""
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def _has_its_row(folder: Path) -> bool:
    with running_postgres(folder) as server:
        return bool(one(server.url("jibei_app", "jibei"), "SELECT cups = 11 FROM lot"))


def test_a_lock_file_of_a_dead_server_is_no_obstacle(folder: Path) -> None:
    for content in ("", "garbage\n", "4194304\n/elsewhere\n"):
        (folder / "pgdata" / "postmaster.pid").write_text(content)

        assert _has_its_row(folder)


def test_a_lock_file_whose_number_is_now_a_strangers_is_no_obstacle(
    folder: Path, bystander: subprocess.Popen[bytes]
) -> None:
    lines = [
        str(bystander.pid),
        str(folder / "pgdata"),
        "1",
        "5432",
        "",
        "127.0.0.1",
        "1 1",
        "ready",
    ]
    (folder / "pgdata" / "postmaster.pid").write_text("\n".join(lines) + "\n")

    assert _has_its_row(folder)
    assert bystander.poll() is None


def test_a_server_started_by_hand_is_left_alone(folder: Path) -> None:
    with subprocess.Popen(["sleep", "60"], cwd=folder / "pgdata") as by_hand:
        (folder / "pgdata" / "postmaster.pid").write_text(f"{by_hand.pid}\n")

        with (
            pytest.raises(CannotStart, match=rf"kill -INT {by_hand.pid}"),
            running_postgres(folder),
        ):
            pass
        by_hand.kill()


def test_a_taken_port_is_exchanged_for_a_free_one(folder: Path) -> None:
    before = int((folder / "port").read_text())
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", before))
        stranger.listen()

        with running_postgres(folder) as server:
            assert server.port != before
            assert one(server.url("jibei_app", "jibei"), "SELECT cups FROM lot") == 11


def test_a_folder_whose_making_was_killed_is_made_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "postgres"
    script = f"""
from pathlib import Path
from kernel.embedded import running_postgres
with running_postgres(Path({str(folder)!r})): pass
"""
    making = subprocess.Popen([sys.executable, "-c", script])
    while not (folder / "pgdata.making" / "PG_VERSION").exists():
        assert making.poll() is None
        time.sleep(0.01)
    making.send_signal(signal.SIGKILL)
    making.wait()

    with running_postgres(folder) as server:
        assert one(server.url("jibei_app", "jibei"), "SELECT 1") == 1

    assert "left half made" in capsys.readouterr().err
    assert not (folder / "pgdata.making").exists()


def test_a_folder_that_is_not_ours_is_moved_aside_whole(
    copied_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copied_folder / "pgdata" / "jibei-passwords.json").unlink()

    with running_postgres(copied_folder) as server:
        assert one(server.url("jibei_app", "jibei"), "SELECT 1") == 1

    assert (copied_folder / "pgdata.set-aside-1" / "PG_VERSION").is_file()
    assert "moved to pgdata.set-aside-1" in capsys.readouterr().err


def test_a_damaged_folder_is_named_with_what_to_do(copied_folder: Path) -> None:
    (copied_folder / "pgdata" / "global" / "pg_control").unlink()

    with (
        pytest.raises(CannotStart, match="damaged: move that folder away"),
        running_postgres(copied_folder),
    ):
        pass


def test_a_folder_of_another_version_is_refused(copied_folder: Path) -> None:
    (copied_folder / "pgdata" / "PG_VERSION").write_text("14\n")

    with pytest.raises(CannotStart, match="made by PostgreSQL 14"), running_postgres(copied_folder):
        pass


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "postgres").write_text("")

    with (
        pytest.raises(CannotStart, match="is a file where a folder is needed"),
        running_postgres(tmp_path / "postgres"),
    ):
        pass


def test_a_full_disk_is_said_in_a_sentence(tmp_path: Path) -> None:
    log = 'FATAL:  could not write to file "pg_wal/xlogtemp.1": No space left on device'

    sentence = str(why(server="PostgreSQL", folder=tmp_path, log=log))

    assert sentence.startswith(f"No space is left on the disk of {tmp_path}: free some")
