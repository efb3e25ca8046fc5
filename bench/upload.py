"""Tills that were offline bring their logs, in a process of its own.

`python -m bench.upload PORT ISSUED_AT UPLOADS ROUNDS` makes the logs of sixteen tills beforehand,
each item of a capsule of its own, which was issued at that moment, and signed by its till; then
sends them, so many uploads of 500 by each till. Prints a line of JSON for each round.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from itertools import count

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.load import DRINK, TILLS, key_of
from examples.offline.till import Log
from redemption import token

AT_ONCE = 500
SERIALS = 2**41
"""Capsules have their serials from this number on, so that none is that of a credential."""
LASTS = timedelta(hours=23)

_PATH = "/v1/redemptions/batch"
_CONNECTIONS = 4
_CLERK = "00000006-0000-7000-8000-{:012x}"


class Branch:
    """A till that has lost its network, and its log."""

    def __init__(self, number: int) -> None:
        self._key = key_of(number)
        self._authorization = f"Bearer shf_{number:043d}"
        self._clerk = _CLERK.format(number)
        signs_by = Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big"))
        self._log = Log(self._key.device_id, signs_by)

    def serve(self, shown: Iterator[str], at: datetime) -> bytes:
        """Serve a cup for each of 500 capsules; answers the body of their upload."""
        items = [
            self._log.write(capsule=next(shown), cups=1, product=DRINK, staff=self._clerk, at=at)
            for _ in range(AT_ONCE)
        ]
        return json.dumps({"items": items}).encode()

    def bring(self, connection: HTTPConnection, body: bytes) -> Counter[str]:
        """Upload; answers how often each outcome came."""
        signature = self._key.signed("POST", _PATH, authorization=self._authorization, body=body)
        headers = {
            "Authorization": self._authorization,
            "Content-Type": "application/json",
            **signature,
        }
        connection.request("POST", _PATH, body, headers)
        answer = connection.getresponse()
        told = answer.read()
        if answer.status == 503:
            time.sleep(float(answer.headers["Retry-After"]))
            return self.bring(connection, body)
        if answer.status != 200:
            return Counter({f"{answer.status} {told[:200]!r}": AT_ONCE})
        return Counter(item["outcome"] for item in json.loads(told)["items"])


def capsules(issued_at: datetime, at: datetime) -> Iterator[str]:
    """What the phones of the shoppers show at a moment, one after the other."""
    for number in count(1):
        serial = (SERIALS + number).to_bytes(8, "big")
        sealed = token.make_capsule(
            serial=serial, cups=2, store_group=1, issued_at=issued_at, ends_at=issued_at + LASTS
        )
        seed = token.capsule_seed(serial)
        yield token.show_capsule(capsule=sealed, seed=seed, step=token.step_at(at))


def send(port: int, branches: Sequence[Branch], bodies: Sequence[list[bytes]]) -> dict[str, object]:
    """Send all uploads over a few connections, those of a till one after the other."""

    def hand(first: int) -> Counter[str]:
        connection, told = HTTPConnection("127.0.0.1", port, timeout=60), Counter[str]()
        for number in range(first, len(branches), _CONNECTIONS):
            for body in bodies[number]:
                told += branches[number].bring(connection, body)
        connection.close()
        return told

    began_at = time.perf_counter()
    with ThreadPoolExecutor(_CONNECTIONS) as hands:
        told = sum(hands.map(hand, range(_CONNECTIONS)), Counter[str]())
    return {"outcomes": told, "per_s": told.total() / (time.perf_counter() - began_at)}


def main() -> None:
    """Make everything, then run the rounds."""
    port, uploads, rounds = (int(sys.argv[at]) for at in (1, 3, 4))
    at = datetime.now(UTC) - timedelta(minutes=5)
    shown = capsules(datetime.fromisoformat(sys.argv[2]), at)
    branches = [Branch(number) for number in range(1, TILLS + 1)]
    made = [
        [[branch.serve(shown, at) for _ in range(uploads)] for branch in branches]
        for _ in range(rounds)
    ]
    for bodies in made:
        print(json.dumps(send(port, branches, bodies)), flush=True)


if __name__ == "__main__":
    main()
