"""The queue's server: a password, a steady address, nothing kept."""

import os
import signal
from pathlib import Path

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError
from redis.retry import Retry

from kernel.embedded import running_valkey


def test_it_answers_to_its_password_only(tmp_path: Path) -> None:
    with running_valkey(tmp_path / "valkey") as server:
        with Redis.from_url(server.url) as client:
            assert client.ping()
            assert client.config_get("appendonly", "save") == {"appendonly": "no", "save": ""}
        with (
            Redis(host="127.0.0.1", port=server.port, retry=Retry(NoBackoff(), 0)) as stranger,
            pytest.raises(AuthenticationError),
        ):
            stranger.ping()


def test_its_password_cannot_be_read_by_other_users(tmp_path: Path) -> None:
    with running_valkey(tmp_path / "valkey") as server:
        command = Path(f"/proc/{server.pid}/cmdline").read_bytes()
        assert server.password.encode() not in command
        assert server.password not in repr(server)
    assert (tmp_path / "valkey" / "password").stat().st_mode & 0o077 == 0


def test_it_is_found_at_the_same_address_after_a_kill(tmp_path: Path) -> None:
    with running_valkey(tmp_path / "valkey") as server:
        first = server.url
        os.kill(server.pid, signal.SIGKILL)

    with running_valkey(tmp_path / "valkey") as server, Redis.from_url(server.url) as client:
        assert server.url == first
        assert client.dbsize() == 0
