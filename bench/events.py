"""The provider's news, from a process of its own: signed events at the moments of a schedule.

`python -m bench.events PORT SECRET RATE` reads the references of intents, one a line, and tells of
each that it has succeeded, `RATE` a second (open loop), each over a connection of its own. Prints,
as JSON, when each was to be sent, in seconds of the epoch.
"""

import asyncio
import hashlib
import hmac
import http.client
import json
import random
import sys
import time

_OK = http.client.OK


class Teller:
    """Sends events, and remembers when each was due."""

    def __init__(self, *, port: int, secret: str, rate: float) -> None:
        self.due_at: list[float] = []
        self._port = port
        self._secret = secret.encode()
        self._rate = rate

    async def tell_all(self, refs: list[str]) -> None:
        async with asyncio.TaskGroup() as sending:
            due_at = time.time() + 0.5
            for ref in refs:
                await asyncio.sleep(max(0.0, due_at - time.time()))
                self.due_at.append(due_at)
                sending.create_task(self._tell(ref))
                due_at += random.expovariate(self._rate)

    async def _tell(self, ref: str) -> None:
        reading, writing = await asyncio.open_connection("127.0.0.1", self._port)
        writing.write(self._letter(ref))
        status = int((await reading.readline()).split()[1])
        writing.close()
        await writing.wait_closed()
        if status != _OK:
            raise RuntimeError(f"an event was answered {status}")

    def _letter(self, ref: str) -> bytes:
        now = int(time.time())
        body = json.dumps(
            {
                "id": f"evt_{ref}",
                "object": "event",
                "type": "payment_intent.succeeded",
                "created": now,
                "livemode": False,
                "api_version": "bench",
                "data": {"object": {"id": ref, "object": "payment_intent"}},
            }
        ).encode()
        signed = hmac.new(self._secret, b"%d." % now + body, hashlib.sha256).hexdigest()
        return (
            f"POST /v1/webhooks/stripe HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
            f"Content-Type: application/json; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
            f"Stripe-Signature: t={now},v1={signed}\r\n\r\n"
        ).encode() + body


def main() -> None:
    """Tell of everything on standard input."""
    port, secret, rate = sys.argv[1:]
    teller = Teller(port=int(port), secret=secret, rate=float(rate))
    asyncio.run(teller.tell_all(sys.stdin.read().split()))
    print(json.dumps(teller.due_at))


if __name__ == "__main__":
    main()
