"""The load, in a process of its own: tills that scan codes over loopback, for a bounded time.

`python -m bench.load PORT MEMBERS FIRST SECONDS CONNECTIONS [RATE]` sends as fast as answers come
(closed loop), or, with a rate, at the moments of a schedule whatever the answers do (open loop):
a latency then counts from the moment when the request should have been sent. Prints JSON.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter, deque
from itertools import count

from redemption import token

_DRINK = "00000003-0000-7000-8000-000000000001"
_TILLS = 16


class Scans:
    """Requests that are all good: each shows a code of its own.

    Wallets come in turn, beginning with number `first`: with enough of them nobody comes twice
    within one step of 15 seconds, so no code is shown twice.
    """

    def __init__(self, *, members: int, first: int) -> None:
        self._members = members
        self._numbers = count(first)

    def next(self) -> bytes:
        """Make the next request, as bytes."""
        number = next(self._numbers)
        credential_id = (1 + number % self._members).to_bytes(8, "big")
        step = int(time.time()) // token.STEP_S
        seed = token.seed_of(credential_id)
        code = token.make(credential_id=credential_id, seed=seed, step=step)
        body = f'{{"code":"{code}","product_id":"{_DRINK}","cups":{1 + number % 3}}}'
        return (
            f"POST /v1/redemptions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer shf_{1 + number % _TILLS:043d}\r\n"
            f"Idempotency-Key: {number:020d}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


class Till(asyncio.Protocol):
    """One connection that sends one request at a time."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._answer = b""
        self._due_at = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._load.idle.append(self)
        self._load.opened += 1

    def send(self, due_at: float, request: bytes) -> None:
        assert self._transport is not None
        self._due_at = due_at
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        if len(body) < length:
            return
        status, self._answer = int(head[9:12]), b""
        self._load.answered(self, status, time.perf_counter() - self._due_at)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._load.lost += 1


class Load:
    """All tills together, and what they saw."""

    def __init__(self, *, scans: Scans, rate: float | None) -> None:
        self.idle: deque[Till] = deque()
        self.opened = self.lost = 0
        self._scans = scans
        self._rate = rate
        self._waiting: deque[float] = deque()
        self._statuses: Counter[int] = Counter()
        self._latencies: list[float] = []
        self._counts_from = self._ends_at = 0.0

    async def run(self, *, port: int, seconds: float, connections: int) -> dict[str, object]:
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            await loop.create_connection(lambda: Till(self), "127.0.0.1", port)
        began_at = time.perf_counter()
        self._counts_from, self._ends_at = began_at + 1.0, began_at + 1.0 + seconds
        if self._rate is None:
            while self.idle:
                self._send(time.perf_counter())
            await asyncio.sleep(seconds + 1.0)
        else:
            await self._on_schedule(began_at, self._rate)
        await asyncio.sleep(0.5)
        return self._seen(seconds)

    async def _on_schedule(self, began_at: float, rate: float) -> None:
        due_at = began_at
        while due_at < self._ends_at:
            now = time.perf_counter()
            while due_at <= now:
                self._waiting.append(due_at)
                due_at += random.expovariate(rate)
            self._send_waiting()
            await asyncio.sleep(min(0.001, max(0.0, due_at - time.perf_counter())))

    def _send_waiting(self) -> None:
        while self._waiting and self.idle:
            self._send(self._waiting.popleft())

    def _send(self, due_at: float) -> None:
        self.idle.popleft().send(due_at, self._scans.next())

    def answered(self, till: Till, status: int, seconds: float) -> None:
        now = time.perf_counter()
        if self._counts_from <= now < self._ends_at:
            self._statuses[status] += 1
            self._latencies.append(seconds)
        self.idle.append(till)
        if now >= self._ends_at:
            return
        if self._rate is None:
            self._send(now)
        else:
            self._send_waiting()

    def _seen(self, seconds: float) -> dict[str, object]:
        ordered = sorted(self._latencies)
        return {
            "per_s": len(ordered) / seconds,
            "statuses": self._statuses,
            "lost": self.lost,
            "p50_ms": 1000 * ordered[len(ordered) // 2],
            "p99_ms": 1000 * ordered[int(len(ordered) * 0.99)],
        }


def main() -> None:
    """Run one load and print what it saw."""
    port, members, first, seconds, connections, *rate = sys.argv[1:]
    scans = Scans(members=int(members), first=int(first))
    load = Load(scans=scans, rate=float(rate[0]) if rate else None)
    seen = asyncio.run(
        load.run(port=int(port), seconds=float(seconds), connections=int(connections))
    )
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
