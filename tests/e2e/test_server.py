"""What gunicorn refuses before the application is asked looks like every other refusal."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT, Engines


@pytest.fixture(scope="module")
def port(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Gunicorn with the application, on a free port."""
    log = tmp_path_factory.mktemp("gunicorn") / "log"
    with log.open("wb") as stream:
        server = subprocess.Popen(
            [sys.executable, "-OO", "-m", "gunicorn", "--bind", "127.0.0.1:0", "wsgi:app"],
            cwd=ROOT,
            env={**os.environ, "WEB_WORKERS": "1"},
            stdout=stream,
            stderr=stream,
        )
    try:
        until = time.monotonic() + 30
        while (found := re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text())) is None:
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        yield int(found[1])
    finally:
        server.terminate()
        server.wait(timeout=20)


def answer(port: int, request: bytes) -> tuple[int, str, dict[str, object]]:
    """Send bytes; answer status, content type and JSON."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        connection.settimeout(20)
        received = b""
        while part := connection.recv(65536):
            received += part
    head, _, body = received.partition(b"\r\n\r\n")
    kind = re.search(rb"content-type: ([^\r]+)", head, re.IGNORECASE)
    assert kind is not None
    return int(head.split()[1]), kind[1].decode(), json.loads(body)


GET = b"GET /live%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "status", "reason"),
    [
        (GET % (b"?" + b"a" * 5_000, b""), 414, "address-too-long"),
        (GET % (b"?" + b"a" * 9_000, b""), 414, "address-too-long"),
        (GET % (b"", b"X-Long: %s\r\n" % (b"a" * 9_000)), 431, "headers-too-large"),
        (GET % (b"", b"X-Long: %s\r\n" % (b"a" * 20_000)), 431, "headers-too-large"),
        (GET % (b"", b"X-A: %s\r\n" % (b"a" * 4_500) * 2), 431, "headers-too-large"),
        (GET % (b"", b"Content-Length: 1\r\nContent-Length: 2\r\n"), 400, "bad-request"),
        (b"no http at all\r\n\r\n", 400, "bad-request"),
    ],
)
def test_what_is_too_large_or_no_http_is_a_problem(
    port: int, request_bytes: bytes, status: int, reason: str
) -> None:
    told = answer(port, request_bytes)
    assert told[:2] == (status, "application/problem+json")
    assert (told[2]["status"], told[2]["reason"]) == (status, reason)


def test_a_caller_cannot_shift_our_paths(port: int) -> None:
    assert answer(port, GET % (b"", b"SCRIPT_NAME: /live\r\n"))[0] in (200, 400)


@pytest.mark.parametrize(
    ("size", "connection"), [(64 * 1024, b"keep-alive"), (64 * 1024 + 1, b"close")]
)
def test_an_answer_says_whether_its_connection_stays(
    port: int, size: int, connection: bytes
) -> None:
    """A body that is refused unread is dropped, and a larger one with its connection."""
    asked = b"POST /v1/redemptions/batch HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(asked + b" " * size)
        head = client.recv(65536).partition(b"\r\n\r\n")[0]
        assert b"401" in head.splitlines()[0]
        assert re.search(rb"(?im)^connection: (\S+)\r?$", head)[1] == connection
