"""Servers end with whoever started them, also when that is killed."""

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from kernel.embedded import running_postgres, running_valkey
from tests.embedded.sql import one

_PARENT = """
import json, sys, time
from pathlib import Path
from kernel.embedded import running_postgres, running_valkey
folder = Path(sys.argv[1])
with running_postgres(folder / "postgres") as postgres, running_valkey(folder / "valkey") as valkey:
    print(json.dumps([postgres.pid, valkey.pid]), flush=True)
    time.sleep(60)
"""


@pytest.fixture
def parent(folder: Path) -> subprocess.Popen[str]:
    """A process that runs both servers in the test's folder."""
    return subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(folder.parent)], stdout=subprocess.PIPE, text=True
    )


def test_killing_the_parent_ends_both_servers_and_the_next_start_succeeds(
    parent: subprocess.Popen[str], folder: Path
) -> None:
    with parent:
        assert parent.stdout is not None
        servers = [psutil.Process(pid) for pid in json.loads(parent.stdout.readline())]
        backends = [child for server in servers for child in server.children()]
        parent.kill()

    # without waiting for the old ones: the next start does that
    with running_postgres(folder) as postgres, running_valkey(folder.parent / "valkey"):
        assert one(postgres.url("jibei_app", "jibei"), "SELECT cups FROM lot") == 11
        _, alive = psutil.wait_procs([*servers, *backends], timeout=5)
    assert alive == []


def test_leaving_the_block_leaves_no_process(folder: Path) -> None:
    with running_postgres(folder) as postgres, running_valkey(folder.parent / "valkey") as valkey:
        servers = [psutil.Process(postgres.pid), psutil.Process(valkey.pid)]
        backends = [child for server in servers for child in server.children()]
        assert len(backends) > 2

    assert [process for process in (*servers, *backends) if process.is_running()] == []
