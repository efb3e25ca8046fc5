"""The WSGI application, where everything meets."""

import json
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIEnvironment

from kernel import clock
from sandbox import access, faults, idempotency, payouts, webhook_endpoints
from sandbox.arrival import Arrival
from sandbox.call import Call
from sandbox.config import Settings
from sandbox.deliveries import Courier
from sandbox.errors import StripeError
from sandbox.events import API_VERSION
from sandbox.expansion import expand
from sandbox.forms import Tree
from sandbox.ids import new_id
from sandbox.params import Params
from sandbox.routes import Route, find_route
from sandbox.store import Document, Session, Store

_log = logging.getLogger(__name__)
_HELPERS = "/v1/test_helpers/"


@dataclass
class Answer:
    """What goes back to the caller."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    moved_money: bool = False


def create_app(settings: Settings) -> "Application":
    """Open the file, set the configured endpoint up and start delivering."""
    store = Store(settings.db)
    with store.transaction() as session:
        webhook_endpoints.configure(session, settings, now=clock.now())
    courier = Courier(store)
    courier.ring()
    return Application(settings, store, courier)


class Application:
    """From a request to an answer: who, what, the key, one transaction, the faults."""

    def __init__(self, settings: Settings, store: Store, courier: Courier) -> None:
        self._settings = settings
        self._store = store
        self._courier = courier
        self._keys_in_use = idempotency.KeysInUse()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        arrival, request_id = Arrival(environ), new_id("req_", length=14)
        answer = self._answer_safely(arrival, request_id)
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(answer.body)),
            "Request-Id": request_id,
            "Stripe-Version": API_VERSION,
            **answer.headers,
        }
        reason = HTTPStatus(answer.status).phrase
        start_response(f"{answer.status} {reason}", list(headers.items()))
        return [answer.body]

    def _answer_safely(self, arrival: Arrival, request_id: str) -> Answer:
        try:
            answer = self._answer(arrival, request_id)
        except StripeError as error:
            answer = _refusal(error, request_id)
        except Exception:  # noqa: BLE001  a bug of the sandbox must still look like Stripe's 500
            _log.exception("request %s failed", request_id)
            answer = _lost("The sandbox failed; its log says why.", request_id)
        key = arrival.idempotency_key
        if key is not None and key.isascii() and key.isprintable():
            answer.headers["Idempotency-Key"] = key
        return answer

    def _answer(self, arrival: Arrival, request_id: str) -> Answer:
        is_publishable = access.is_publishable(arrival.authorization, self._settings)
        found = find_route(arrival.method, arrival.path)
        if found is None:
            raise StripeError(
                f"Unrecognized request URL ({arrival.method}: {arrival.path[:200]}).", status=404
            )
        route, path_id = found
        if is_publishable and not route.is_open:
            raise access.refuse_publishable()
        tree = arrival.parameters()
        key = arrival.idempotency_key
        if key is not None and len(key) > idempotency.MAX_KEY_LENGTH:
            raise StripeError("Idempotency keys have up to 255 characters.")
        with self._keys_in_use.claim(key):
            answer = self._execute(
                route,
                tree,
                path=arrival.path,
                path_id=path_id,
                request_id=request_id,
                key=key,
                is_publishable=is_publishable,
                base_url=arrival.base_url,
            )
            self._courier.ring()
            return self._strike(answer, arrival.path, request_id)

    def _execute(
        self,
        route: Route,
        tree: Tree,
        *,
        path: str,
        path_id: str,
        request_id: str,
        key: str | None,
        is_publishable: bool,
        base_url: str,
    ) -> Answer:
        """The request in one transaction together with its kept answer, or the kept answer."""
        now = clock.now()
        request = idempotency.fingerprint(route.method, path, tree)
        with self._store.transaction() as session:
            if key is not None:
                recorded = idempotency.find_recorded(
                    session, key, request, now=int(now.timestamp())
                )
                if recorded is not None:
                    return _replay(recorded)
            call = Call(
                session=session,
                params=Params(tree),
                path_id=path_id,
                now=now,
                request_id=request_id,
                idempotency_key=key,
                is_publishable=is_publishable,
                base_url=base_url,
                fee_basis_points=self._settings.fee_basis_points,
            )
            payouts.catch_up(call)
            answer = _run(route, call, request_id)
            if key is not None and call.params.is_finished:
                kept = idempotency.Recorded(
                    request_id, answer.status, answer.body, answer.moved_money
                )
                idempotency.record(session, key, request, kept, now=call.created)
            return answer

    def _strike(self, answer: Answer, path: str, request_id: str) -> Answer:
        """What the configured faults make of an answer whose effect is already committed."""
        if path.startswith(_HELPERS):
            return answer
        with self._store.transaction() as session:
            latency_ms = faults.amount(session, "latency_ms")
            is_lost = answer.moved_money and _lose_one(session)
        if latency_ms:
            time.sleep(latency_ms / 1000)
        return _lost("The answer was lost.", request_id) if is_lost else answer


def _run(route: Route, call: Call, request_id: str) -> Answer:
    try:
        with call.session.undone_on_error():
            paths = call.params.texts("expand")
            document = expand(call.session, route.endpoint(call), paths)
    except StripeError as error:
        return _refusal(error, request_id)
    return Answer(200, _encode(document), moved_money=call.moved_money)


def _lose_one(session: Session) -> bool:
    return faults.use_up(session, "fail_after_success")


def _replay(recorded: idempotency.Recorded) -> Answer:
    headers = {"Idempotent-Replayed": "true", "Original-Request": recorded.request_id}
    if recorded.status >= HTTPStatus.BAD_REQUEST:
        headers["Stripe-Should-Retry"] = "false"
    return Answer(recorded.status, recorded.body, headers, moved_money=recorded.moved_money)


def _refusal(error: StripeError, request_id: str) -> Answer:
    """A conflict is worth another try, any other refusal is not."""
    error.facts["request_log_url"] = f"https://dashboard.stripe.com/test/logs/{request_id}"
    again = "true" if error.status == HTTPStatus.CONFLICT else "false"
    return Answer(error.status, _encode(error.body()), {"Stripe-Should-Retry": again})


def _lost(message: str, request_id: str) -> Answer:
    error = StripeError(message, status=500, type="api_error")
    error.facts["request_log_url"] = f"https://dashboard.stripe.com/test/logs/{request_id}"
    return Answer(500, _encode(error.body()))


def _encode(document: Document) -> bytes:
    return json.dumps(document, indent=2).encode()
