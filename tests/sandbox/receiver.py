"""A small HTTP server that takes webhooks, as Jibei's own address would."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import stripe

WAIT_SECONDS = 8.0


@dataclass
class Received:
    """One delivery as it came."""

    payload: bytes
    signature: str

    def event(self, secret: str) -> stripe.Event:
        """What the library makes of it; it raises where the signature is wrong."""
        return stripe.Webhook.construct_event(self.payload, self.signature, secret)


@dataclass
class Receiver:
    """Takes webhooks and remembers them; the next `refusals` ones are answered with 500."""

    url: str = ""
    refusals: int = 0
    deliveries: list[Received] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)
    _meeting: threading.Barrier | None = None

    @contextmanager
    def meeting_of(self, number: int) -> Iterator[threading.Event]:
        """Let nobody be answered before so many wait at once; the event says that they did."""
        met = threading.Event()
        self._meeting = threading.Barrier(number, action=met.set, timeout=WAIT_SECONDS)
        yield met
        self._meeting = None

    def take(self, received: Received) -> int:
        meeting = self._meeting
        with self.arrived:
            self.deliveries.append(received)
            self.arrived.notify_all()
        if meeting is not None:
            with suppress(threading.BrokenBarrierError):
                meeting.wait()
        with self.arrived:
            if self.refusals > 0:
                self.refusals -= 1
                return 500
            return 204

    def wait_for(self, type_: str, object_id: str, *, times: int = 1) -> list[Received]:
        """The deliveries of an event about an object, as soon as there are `times` of them."""
        until = time.monotonic() + WAIT_SECONDS
        with self.arrived:
            while len(found := self.about(type_, object_id)) < times:
                left = until - time.monotonic()
                assert left > 0, f"{len(found)} of {times} deliveries of {type_}"
                self.arrived.wait(left)
            return found

    def about(self, type_: str, object_id: str) -> list[Received]:
        needles = f'"type": "{type_}"'.encode(), f'"id": "{object_id}"'.encode()
        return [d for d in self.deliveries if all(needle in d.payload for needle in needles)]


@contextmanager
def running_receiver(port: int = 0) -> Iterator[Receiver]:
    """Serve until the block ends."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            payload = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(
                receiver.take(Received(payload, self.headers.get("Stripe-Signature", "")))
            )
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/webhooks"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
