"""Idempotency-Key: a retry gets the first answer again, and the work runs once."""

import re
from collections.abc import Callable
from typing import Any

from flask import Response, g, request

from api.errors import is_kept, problem_response
from api.refusals import KeyMalformed, KeyMissing
from kernel import clock, idempotency
from kernel.errors import Refusal
from kernel.idempotency import Key, KeyInFlight
from kernel.transaction import again, transaction

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEY_PATTERN = '^("[A-Za-z0-9_-]{16,64}"|[A-Za-z0-9_-]{16,64})$'

_KEY = re.compile(r'(?P<quote>"?)(?P<key>[A-Za-z0-9_-]{16,64})(?P=quote)', re.ASCII)
_KEPT_HEADERS = ("Content-Type", "Content-Language", "Location")


def key_text() -> str:
    """Read the key of this request.

    Raises:
        KeyMissing: there is none.
        KeyMalformed: it is something else, or came twice (joined by a comma on its way here).
    """
    sent = request.environ.get("HTTP_IDEMPOTENCY_KEY")
    if sent is None:
        raise KeyMissing
    found = _KEY.fullmatch(sent.strip(" \t"))
    if found is None:
        raise KeyMalformed
    return found["key"]


def once(key: Key, work: Callable[[], Response]) -> Response:
    """Do work that is one transaction, and keep its answer in that same transaction.

    A refusal undoes the work, so it is kept afterwards; if a racer came in between and was
    answered, his answer is the key's.
    """
    try:
        return again(lambda: _claimed_and_done(key, work))
    except Refusal as refusal:
        if not is_kept(refusal) or isinstance(refusal, idempotency.KeyReused | KeyInFlight):
            raise
        refused = problem_response(refusal)
    return again(lambda: _refused(key, refused))


def _claimed_and_done(key: Key, work: Callable[[], Response]) -> Response:
    with transaction():
        earlier = idempotency.claim(key, now=clock.now())
        if earlier is not None:
            return replayed(earlier)
        response = work()
        idempotency.answer(key, kept(response))
        return response


def _refused(key: Key, refused: Response) -> Response:
    with transaction():
        if idempotency.keep_answer(key, kept(refused), now=clock.now()):
            return refused
        earlier = idempotency.find_answer(key)
        return refused if earlier is None else replayed(earlier)


def kept(response: Response) -> dict[str, Any]:
    """Write an answer down: status, body as text, and the headers that belong to it."""
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    text = response.get_data(as_text=True)
    return {"status": response.status_code, "body": text, "headers": headers}


def replayed(answer: dict[str, Any]) -> Response:
    """Give an answer that was written down by `kept` once more, and say so."""
    response = Response(answer["body"], answer["status"], answer["headers"])
    response.headers[REPLAYED] = "true"
    return response


def mark_replayed() -> None:
    """Say that this request's answer is an earlier one: for domains that keep answers themselves.

    Works for refusals as well: call it, then raise.
    """
    g.is_replayed = True
