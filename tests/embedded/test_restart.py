"""One folder, one server at a time, the same rows at the same address."""

import os
import signal
from pathlib import Path

import pytest

from kernel.embedded import CannotStart, running_postgres
from tests.embedded.sql import one, run


def test_the_next_start_finds_the_same_rows_at_the_same_address(folder: Path) -> None:
    with running_postgres(folder) as server:
        first = server.url("jibei_app", "jibei")
        run(first, "UPDATE lot SET cups = 10")

    with running_postgres(folder) as server:
        again = server.url("jibei_app", "jibei")
        assert one(again, "UPDATE lot SET cups = 11 RETURNING old.cups") == 10
    assert again == first


def test_a_committed_row_survives_the_kill_of_the_server(folder: Path) -> None:
    with running_postgres(folder) as server:
        run(server.url("jibei_app", "jibei"), "UPDATE lot SET cups = 9")
        os.kill(server.pid, signal.SIGKILL)

    with running_postgres(folder) as server:
        app = server.url("jibei_app", "jibei")
        assert one(app, "UPDATE lot SET cups = 11 RETURNING old.cups") == 9


def test_settings_of_the_caller_win(folder: Path) -> None:
    with running_postgres(folder, settings={"fsync": "off"}) as server:
        assert one(server.url("jibei_app", "jibei"), "SHOW fsync") == "off"


def test_a_second_server_on_one_folder_is_refused(folder: Path) -> None:
    with (
        running_postgres(folder),
        pytest.raises(CannotStart, match=f"already runs in .* process {os.getpid()}"),
        running_postgres(folder),
    ):
        pass
