"""A port is one start's own from the moment it was chosen, not only once somebody listens."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from kernel.embedded import ports

_RESERVE = """
import sys
from kernel.embedded import ports
print(ports.reserve(int(sys.argv[1])), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def port() -> int:
    return ports._any_free()  # noqa: SLF001  any will do


@pytest.fixture
def other(port: int) -> Iterator[subprocess.Popen[str]]:
    """Another process that has reserved the port and does not listen on it yet."""
    process = subprocess.Popen(
        [sys.executable, "-c", _RESERVE, str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    yield process
    process.kill()
    process.communicate()


def test_a_port_that_another_start_has_chosen_is_taken_though_nobody_listens(port, other):
    assert ports.is_free(port)
    assert not ports.reserve(port)


def test_the_port_of_a_dead_start_is_free_again(port, other):
    other.kill()
    other.communicate()
    assert ports.reserve(port)


def test_a_reserved_port_stays_its_owner_s(port):
    assert ports.reserve(port)
    assert ports.reserve(port)


@pytest.mark.parametrize("kept", ["", "x", "-1", "0", "99999999"])
def test_what_is_no_port_is_not_kept(tmp_path, kept):
    (tmp_path / "port").write_text(kept)

    assert ports.is_free(ports.choose(tmp_path))
