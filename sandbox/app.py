"""The WSGI application, where everything meets."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIEnvironment

from kernel import clock
from sandbox import access, idempotency, payouts, refund_outcomes, strikes, webhook_endpoints
from sandbox.answers import Answer, encode, failure, refusal
from sandbox.arrival import Arrival
from sandbox.call import Call
from sandbox.config import Settings
from sandbox.deliveries import Courier
from sandbox.errors import StripeError
from sandbox.events import API_VERSION
from sandbox.expansion import expand
from sandbox.ids import new_id
from sandbox.params import Params
from sandbox.routes import Route, find_route
from sandbox.store import Session, Store
from sandbox.terminal import desk

_log = logging.getLogger(__name__)
_HELPERS = "/v1/test_helpers/"


def create_app(settings: Settings) -> "Application":
    """Open the file, set the configured endpoint up and start delivering."""
    store = Store(settings.db)
    with store.transaction() as session:
        webhook_endpoints.configure(session, settings, now=clock.now())

    def let_time_pass(session: Session) -> None:
        refund_outcomes.settle_due(_blank_call(session, settings))

    courier = Courier(store, before_each_round=let_time_pass)
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
        if arrival.path.startswith(desk.PREFIX):
            answer = desk.answer(arrival, self._settings, self._store)
        else:
            answer = self._answer_safely(arrival, request_id)
            answer.headers |= {"Request-Id": request_id, "Stripe-Version": API_VERSION}
        answer.headers |= {
            "Content-Type": "application/json",
            "Content-Length": str(len(answer.body)),
        }
        reason = HTTPStatus(answer.status).phrase
        start_response(f"{answer.status} {reason}", list(answer.headers.items()))
        return [answer.body]

    def _answer_safely(self, arrival: Arrival, request_id: str) -> Answer:
        try:
            answer = self._answer(arrival, request_id)
        except StripeError as error:
            answer = refusal(error, request_id)
        except Exception:  # noqa: BLE001  a bug of the sandbox must still look like Stripe's 500
            _log.exception("request %s failed", request_id)
            answer = failure("The sandbox failed; its log says why.", request_id)
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
        params = Params(arrival.parameters())
        key = arrival.idempotency_key
        if key is not None and len(key) > idempotency.MAX_KEY_LENGTH:
            raise StripeError("Idempotency keys have up to 255 characters.")
        is_helper = arrival.path.startswith(_HELPERS)
        if not is_helper and strikes.fails_before(self._store):
            return failure("The call failed before anything happened.", request_id)
        with self._keys_in_use.claim(key):
            fingerprint = idempotency.fingerprint(arrival.method, arrival.path, params.tree)
            with self._store.transaction() as session:
                call = replace(
                    _blank_call(session, self._settings),
                    params=params,
                    path_id=path_id,
                    request_id=request_id,
                    idempotency_key=key,
                    is_publishable=is_publishable,
                    base_url=arrival.base_url,
                )
                answer = _execute(route, call, fingerprint, request_id)
            self._courier.ring()
            return answer if is_helper else self._strike(answer, route, request_id)

    def _strike(self, answer: Answer, route: Route, request_id: str) -> Answer:
        """What the configured faults make of an answer whose effect is already committed."""
        has_changed = route.method != "GET" and answer.status == HTTPStatus.OK
        if strikes.is_lost_after(self._store, has_changed=has_changed):
            return failure("The answer was lost.", request_id)
        return answer


def _execute(route: Route, call: Call, fingerprint: str, request_id: str) -> Answer:
    """The request in one transaction together with its kept answer, or the kept answer."""
    key = call.idempotency_key
    if key is not None:
        recorded = idempotency.find_recorded(call.session, key, fingerprint, now=call.created)
        if recorded is not None:
            return _replay(recorded)
    payouts.catch_up(call)
    refund_outcomes.settle_due(replace(call, request_id=None, idempotency_key=None))
    answer = _run(route, call, request_id)
    if key is not None and call.params.is_finished:
        kept = idempotency.Recorded(request_id, answer.status, answer.body)
        idempotency.record(call.session, key, fingerprint, kept, now=call.created)
    return answer


def _run(route: Route, call: Call, request_id: str) -> Answer:
    try:
        with call.session.undone_on_error():
            paths = call.params.texts("expand")
            document = expand(call.session, route.endpoint(call), paths)
    except StripeError as error:
        return refusal(error, request_id)
    return Answer(200, encode(document))


def _replay(recorded: idempotency.Recorded) -> Answer:
    headers = {"Idempotent-Replayed": "true", "Original-Request": recorded.request_id}
    if recorded.status >= HTTPStatus.BAD_REQUEST:
        headers["Stripe-Should-Retry"] = "false"
    return Answer(recorded.status, recorded.body, headers)


def _blank_call(session: Session, settings: Settings) -> Call:
    """A call that nobody made, for what happens by itself."""
    return Call(
        session=session,
        params=Params({}),
        path_id="",
        now=clock.now(),
        request_id=None,
        idempotency_key=None,
        is_publishable=False,
        base_url="",
        fee_basis_points=settings.fee_basis_points,
        dispute_fee=settings.dispute_fee,
    )
