"""Idempotency-Key: a retry gets the first answer again, and the work runs once."""

import re
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

from flask import Response, g, request

from api.errors import is_kept, problem_response
from api.refusals import KeyMalformed, KeyMissing
from kernel import clock, idempotency
from kernel.errors import Refusal, TryAgain, Unavailable
from kernel.idempotency import Key, KeyInFlight
from kernel.transaction import again, transaction

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEY_PATTERN = '^("[A-Za-z0-9_-]{16,64}"|[A-Za-z0-9_-]{16,64})$'

_KEY = re.compile(r'(?P<quote>"?)(?P<key>[A-Za-z0-9_-]{16,64})(?P=quote)', re.ASCII)
_PATIENCE_S = 2.0
_LOOK_EVERY_S = 0.1
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


def once_apart(key: Key, work: Callable[[], Response]) -> Response:
    """Do work that opens its own transactions: claim before it, answer after it.

    1. Claim the key for a lease, or replay. A racer waits for the answer, then gets a 409.
    2. Do the work. What does not come to an answer gives the key back, for the retry.
    3. Keep the answer; if the lease had run out and another was first, his answer is the key's.
    """
    claimed_at, earlier = _claim_patiently(key)
    if earlier is not None:
        return replayed(earlier)
    try:
        response = work()
    except Refusal as refusal:
        if not is_kept(refusal):
            _give_up(key, claimed_at)
            raise
        response = problem_response(refusal)
    except BaseException:
        _give_up(key, claimed_at)
        raise
    return again(lambda: _answered(key, response))


def _claim_patiently(key: Key) -> tuple[datetime, dict[str, Any] | None]:
    give_up_at = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return again(lambda: _claimed(key))
        except KeyInFlight:
            if time.monotonic() > give_up_at:
                raise
        time.sleep(_LOOK_EVERY_S)


def _claimed(key: Key) -> tuple[datetime, dict[str, Any] | None]:
    now = clock.now()
    with transaction():
        return now, idempotency.claim(key, now=now)


def _give_up(key: Key, claimed_at: datetime) -> None:
    with suppress(Unavailable, TryAgain), transaction():  # else the lease runs out by itself
        idempotency.give_up(key, claimed_at=claimed_at)


def _answered(key: Key, response: Response) -> Response:
    with transaction():
        if idempotency.answer(key, kept(response)):
            return response
        earlier = idempotency.find_answer(key)
        return response if earlier is None else replayed(earlier)


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
