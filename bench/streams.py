"""Two thousand screens that follow their stores: what the process that tells them costs, idle."""

import asyncio
import json
import os
import resource
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import psutil

from bench.figures import Figures
from bench.site import ROOT, Site, await_answer, free_port
from kernel import clock
from stream.ticket import Ticket

_DEVICES = 2_000
_LOOKED_AT_S = 6.0
"""Long enough for the process to look whether each may still follow."""

_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def measure(figures: Figures, at: Site) -> None:
    """Let all follow, then look at the process while nothing happens."""
    at.run("followers.sql", devices=_DEVICES)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 4 * _DEVICES), most))
    try:
        with _stream(at) as (port, process):
            rss, threads, cpu = asyncio.run(_followed(port, process))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    figures.add("stream_rss_mb", rss / 2**20, "MB")
    figures.add("stream_threads", threads, "count")
    figures.add("stream_idle_cpu", cpu / _LOOKED_AT_S, "of_core")


@contextmanager
def _stream(at: Site) -> Iterator[tuple[int, psutil.Process]]:
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "stream", "--bind", f"127.0.0.1:{port}"],
        cwd=ROOT,
        env={**os.environ, **at.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        await_answer(f"http://127.0.0.1:{port}/live")
        yield port, psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(timeout=60)


async def _followed(port: int, process: psutil.Process) -> tuple[int, int, float]:
    """Memory, threads and processor time of a while, with everybody following all the while."""
    followers = [await _follow(port, number) for number in range(1, _DEVICES + 1)]
    before = process.cpu_times()
    await asyncio.sleep(_LOOKED_AT_S)
    after = process.cpu_times()
    seen = process.memory_info().rss, process.num_threads()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/live", timeout=5) as answer:  # noqa: ASYNC210
        still = json.load(answer)["followers"]
    if still != _DEVICES:
        raise RuntimeError(f"of {_DEVICES} screens {still} still follow")
    for _, writer in followers:
        writer.close()
    return *seen, after.user + after.system - before.user - before.system


async def _follow(port: int, number: int) -> _Connection:
    """Begin to follow, as a screen that has got its ticket does."""
    now = clock.now()
    ticket = Ticket(
        kind="device",
        store_id=UUID(f"00000002-0000-7000-8000-{1 + number % 4:012x}"),
        principal_id=UUID(f"0000000d-0000-7000-8000-{number:012x}"),
        issued_at=now,
        ends_at=now + timedelta(hours=1),
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    asked = f"GET /v1/stream?ticket={ticket.text()} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    writer.write(asked.encode())
    first = await reader.readline()
    if b" 200 " not in first:
        raise RuntimeError(f"may not follow: {first!r}")
    return reader, writer
