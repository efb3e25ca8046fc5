"""The sandbox in a thread of this process, one fresh file after another, asked over real HTTP.

Nothing happens in it by itself: no webhook is sent, no refund settles, no card is held to a
terminal. So a test, or Hypothesis, decides what happens, and when.
"""

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import httpx
from werkzeug.serving import WSGIRequestHandler, make_server

from sandbox.app import Application
from sandbox.cards import find_by_token
from sandbox.config import Settings
from sandbox.store import Store
from tests.events import SECRET
from tests.sandbox.provider import SECRET_KEY

_PUBLISHABLE_KEY = "pk_" + SECRET_KEY.removeprefix("sk_")
_NEVER_MS = 3_600_000

Document = dict[str, Any]


class _NoCourier:
    """Delivers nothing: whoever tests takes events from the list and delivers them."""

    def ring(self) -> None:
        return None


class _Handler(WSGIRequestHandler):
    disable_nagle_algorithm = True  # else every answer in two parts waits 40 ms for the first one

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        del code, size


@dataclass
class SandboxHere:
    """The sandbox, and what somebody outside does there."""

    url: str = ""
    _application: Application | None = None
    _store: Store | None = None
    _client: httpx.Client = field(
        # Plain HTTP needs no certificates, and to load them takes long.
        default_factory=lambda: httpx.Client(trust_env=False, verify=False, timeout=15)  # noqa: S501
    )

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        assert self._application is not None, "begin with a fresh file"
        # As gunicorn does: what is read ends with this request, not with the connection.
        length = int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(length))
        return self._application(environ, start)

    def begin(self, file: Path) -> None:
        """Go on with a file: if it is fresh, as if nothing had ever happened."""
        settings = Settings(
            db=str(file),
            api_key=SECRET_KEY,
            webhook_url="",
            webhook_secret=SECRET,
            fee_basis_points=290,
            dispute_fee=45_000,
        )
        self._store = Store(str(file))
        self._application = Application(settings, self._store, _NoCourier())  # type: ignore[arg-type]
        self.mend()

    def mend(self) -> None:
        """No fault strikes any more; and still nothing happens by itself."""
        self.ask("DELETE", "/v1/test_helpers/faults")
        self.strike(settle_refunds_ms=_NEVER_MS, terminal_taps=0)

    def strike(self, **faults: int) -> None:
        """Let faults strike the next calls."""
        self.ask("POST", "/v1/test_helpers/faults", data=faults)

    def ask(self, method: str, path: str, *, key: str = SECRET_KEY, **sent: Any) -> Document | None:
        """Ask as somebody outside; None where the answer is a refusal, or lost to a fault."""
        headers = {"Authorization": f"Bearer {key}"}
        answer = self._client.request(method, self.url + path, headers=headers, **sent)
        assert answer.status_code < 500 or "/test_helpers/" not in path, (path, answer.text)
        shown: Document = json.loads(answer.content)
        return shown if answer.is_success else None

    def confirm(self, intent: Document, card: str) -> Document | None:
        """The payer's own form sends a card, with the key and the secret that it was given."""
        sent = {"client_secret": intent["client_secret"], "payment_method": card}
        path = f"/v1/payment_intents/{intent['id']}/confirm"
        return self.ask("POST", path, key=_PUBLISHABLE_KEY, data=sent)

    def turn(self, method_id: str, token: str) -> None:
        """From now on a saved card behaves as the one with this token."""
        assert self._store is not None, "begin with a fresh file"
        card = find_by_token(token)
        assert card is not None, token
        with self._store.transaction() as session:
            session.note(method_id, number=card.number)

    def authenticate(self, intent_id: str, outcome: str) -> Document | None:
        """The cardholder passes or fails: `succeed` or `fail`."""
        path = f"/v1/test_helpers/payment_intents/{intent_id}/authenticate"
        return self.ask("POST", path, data={"outcome": outcome})

    def settle(self, refund_id: str, outcome: str) -> Document | None:
        """The holder's bank: `succeeded` or `failed`, the latter also after the former."""
        path = f"/v1/test_helpers/refunds/{refund_id}/settle"
        return self.ask("POST", path, data={"outcome": outcome})

    def dispute(self, intent_id: str, **terms: int) -> Document | None:
        """The holder's bank takes a payment back."""
        sent = {"payment_intent": intent_id, **terms}
        return self.ask("POST", "/v1/test_helpers/disputes", data=sent)

    def decide(self, dispute_id: str, outcome: str) -> Document | None:
        """The bank decides: `won` or `lost`."""
        path = f"/v1/test_helpers/disputes/{dispute_id}/decide"
        return self.ask("POST", path, data={"outcome": outcome})

    def tap(self, payment_id: str, outcome: str) -> Document | None:
        """A card is held to the terminal: `approved` or `declined`."""
        path = f"/terminal/v1/test_helpers/payments/{payment_id}/tap"
        return self.ask("POST", path, json={"outcome": outcome})

    def all(self, kind: str, *, after: int = 0) -> list[Document]:
        """Objects of a kind, the oldest first, but for so many, from the sandbox's own file."""
        asked = "SELECT body FROM objects WHERE object = ? ORDER BY seq LIMIT -1 OFFSET ?"
        return [json.loads(body) for (body,) in self._rows(asked, kind, after)]

    def newest(self, kind: str) -> Document:
        """The last one that was made."""
        asked = "SELECT body FROM objects WHERE object = ? ORDER BY seq DESC LIMIT 1"
        ((body,),) = self._rows(asked, kind)
        made: Document = json.loads(body)
        return made

    def count(self, kind: str) -> int:
        ((number,),) = self._rows("SELECT count(*) FROM objects WHERE object = ?", kind)
        return int(number)

    def all_at_terminals(self) -> list[Document]:
        """Every payment at a terminal: id, status, amount and what was refunded, in whole units."""
        rows = self._rows("SELECT id, status, refunded, request FROM terminal_payments")
        names = ("id", "status", "refunded")
        return [dict(zip(names, row[:3], strict=True)) | json.loads(row[3]) for row in rows]

    def _rows(self, asked: str, *given: str | int) -> list[tuple[Any, ...]]:
        assert self._store is not None, "begin with a fresh file"
        with self._store.transaction() as session:
            return session.connection.execute(asked, given).fetchall()


@contextmanager
def running_sandbox() -> Iterator[SandboxHere]:
    """Serve one on a free port, with a thread for each connection."""
    sandbox = SandboxHere()
    server = make_server("127.0.0.1", 0, sandbox, threaded=True, request_handler=_Handler)
    sandbox.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield sandbox
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
