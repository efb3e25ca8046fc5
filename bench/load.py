"""The load, in a process of its own: tills that scan codes over loopback, for a bounded time.

`python -m bench.load PORT MEMBERS FIRST SECONDS CONNECTIONS` sends as fast as answers come (closed
loop), or, with `--rate`, at the moments of a schedule whatever the answers do (open loop): a
latency then counts from the moment when the request should have been sent. All but `answered`
leaves out the first second, and what is still under way at the end. With `--hot N`, every
N-th scan is of one shopper, whom all tills serve at once, and latencies are those of the others.
With `--apart N`, wallets do not come in the order in which they lie in the tables. Prints JSON.
"""

import argparse
import asyncio
import json
import random
import time
from collections import Counter, deque
from itertools import count

from dev.device_key import DeviceKey
from redemption import token

DRINK = "00000003-0000-7000-8000-000000000001"
_PATH = "/v1/redemptions"
TILLS = 16
HOT = 2**40
HOT_CODES = 200_000
"""So many credentials, from the number `HOT` on, are those of the one shopper (`bench/hot.sql`)."""


class Scans:
    """Requests that are all good: each shows a code of its own, and is signed by its till.

    Wallets come in turn, beginning with number `first`, `apart` from one another: with enough of
    them nobody comes twice within one step of 15 seconds, so no code is shown twice. Every
    `hot`-th is of the one shopper, with a credential that is shown once.
    """

    def __init__(self, *, members: int, first: int, hot: int = 0, apart: int = 1) -> None:
        self._members = members
        self._hot = hot
        self._apart = apart
        self._numbers = count(first)
        self._keys = {number: key_of(number) for number in range(1, TILLS + 1)}

    def next(self) -> tuple[bytes, bool]:
        """Make the next request, as bytes; and whether it is of the one shopper."""
        number = next(self._numbers)
        is_hot = self._hot > 0 and number % self._hot == 0
        shown = HOT + number % HOT_CODES if is_hot else 1 + number * self._apart % self._members
        credential_id = shown.to_bytes(8, "big")
        step = int(time.time()) // token.STEP_S
        seed = token.seed_of(credential_id)
        code = token.make(credential_id=credential_id, seed=seed, step=step)
        body = f'{{"code":"{code}","product_id":"{DRINK}","cups":{1 + number % 3}}}'.encode()
        till = 1 + number % TILLS
        authorization, key = f"Bearer shf_{till:043d}", f"{number:020d}"
        signature = self._keys[till].signed(
            "POST", _PATH, authorization=authorization, key=key, body=body
        )
        headers = {
            "Host": "127.0.0.1",
            "Authorization": authorization,
            "Idempotency-Key": key,
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **signature,
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST {_PATH} HTTP/1.1\r\n{lines}\r\n".encode() + body, is_hot


def key_of(till: int) -> DeviceKey:
    """The key of a till, which `bench.site` writes into its row."""
    key = DeviceKey(till.to_bytes(32, "big"))
    key.device_id = f"00000007-0000-7000-8000-{till:012x}"
    return key


class Till(asyncio.Protocol):
    """One connection that sends one request at a time."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._answer = b""
        self._due_at = 0.0
        self._is_hot = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._load.idle.append(self)
        self._load.opened += 1

    def send(self, due_at: float, request: bytes, is_hot: bool) -> None:
        assert self._transport is not None
        self._due_at, self._is_hot = due_at, is_hot
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
        self._load.answered(self, status, time.perf_counter() - self._due_at, self._is_hot)

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
        self._answered = 0
        self._statuses: Counter[int] = Counter()
        self._latencies: list[float] = []
        self._hot_latencies: list[float] = []
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
        request, is_hot = self._scans.next()
        self.idle.popleft().send(due_at, request, is_hot)

    def answered(self, till: Till, status: int, seconds: float, is_hot: bool) -> None:
        now = time.perf_counter()
        self._answered += 1
        if self._counts_from <= now < self._ends_at:
            self._statuses[status] += 1
            (self._hot_latencies if is_hot else self._latencies).append(seconds)
        self.idle.append(till)
        if now >= self._ends_at:
            return
        if self._rate is None:
            self._send(now)
        else:
            self._send_waiting()

    def _seen(self, seconds: float) -> dict[str, object]:
        ordered = sorted(self._latencies or self._hot_latencies)
        return {
            "per_s": self._statuses.total() / seconds,
            "answered": self._answered,
            "statuses": self._statuses,
            "lost": self.lost,
            "p50_ms": 1000 * ordered[len(ordered) // 2],
            "p99_ms": 1000 * ordered[int(len(ordered) * 0.99)],
        }


def main() -> None:
    """Run one load and print what it saw."""
    parser = argparse.ArgumentParser(prog="python -m bench.load")
    for name in ("port", "members", "first"):
        parser.add_argument(name, type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("connections", type=int)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--hot", type=int, default=0)
    parser.add_argument("--apart", type=int, default=1)
    asked = parser.parse_args()
    scans = Scans(members=asked.members, first=asked.first, hot=asked.hot, apart=asked.apart)
    load = Load(scans=scans, rate=asked.rate)
    seen = asyncio.run(
        load.run(port=asked.port, seconds=asked.seconds, connections=asked.connections)
    )
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
