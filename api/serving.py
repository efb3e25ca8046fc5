"""Serving one route: identify, parse, call, answer. Put together once, at start-up.

The order is the same everywhere: who is asking (401, 403), the key (400), the body (415, 413,
400), its fields and the query's (422), then the business.
"""

import re
from collections.abc import Callable
from typing import Any

from flask import Request, Response, g
from flask.globals import request_ctx
from marshmallow import ValidationError
from werkzeug.exceptions import ClientDisconnected

from api import idempotency, signing, strict_json
from api.auth import MemberCaller
from api.fields import is_storable
from api.refusals import BodyTooLarge, UnsupportedMediaType
from api.route import Route
from api.tables import Table, format_asked, table_answer
from kernel import clock
from kernel.db import db
from kernel.idempotency import Key, fingerprint
from kernel.ids import NOBODY
from kernel.transaction import again, snapshot, transaction
from members import in_time_of

JSON = "application/json"

_JSON_TYPE = re.compile(r'application/json\s*(;\s*charset="?utf-8"?\s*)?', re.IGNORECASE | re.ASCII)

Arguments = dict[str, Any]
Call = Callable[[Arguments, Key | None], Response]


def serving(route: Route) -> Callable[..., Response]:
    """Answer the function that Flask calls for a route."""
    read, call = _reading(route), _calling(route)

    def serve(**arguments: Any) -> Response:
        key = read(arguments)
        caller = arguments.get("caller")
        if type(caller) is not MemberCaller or not clock.is_movable():
            return call(arguments, key)
        with in_time_of(caller.member_id):
            return call(arguments, key)

    serve.__name__ = route.name
    serve.route = route  # type: ignore[attr-defined]
    return serve


def written(value: Any, status: int) -> Response:
    """Answer plain values as JSON; None as nothing at all."""
    if value is None:
        return Response(status=status if status != _OK else _NO_CONTENT)
    return Response(strict_json.write(value), status, content_type=JSON)


_OK = 200
_NO_CONTENT = 204


def _reading(route: Route) -> Callable[[Arguments], Key | None]:
    guard, body, query = route.guard, route.body, route.query
    has_key = route.idempotency != "none"
    is_table = route.is_table
    most_bytes, may_be_bare = route.most_bytes, route.may_be_bare

    def read(arguments: Arguments) -> Key | None:
        """Fill in the view's arguments; answer the key where the route has one."""
        caller = guard.identify()
        if caller is not None:
            arguments["caller"] = caller
        key_text = idempotency.key_text() if has_key else None
        sent = request_ctx.request  # once, since each look through `request` costs
        sent.max_content_length = most_bytes
        loaded = None
        if body is not None:
            is_bare = may_be_bare and _is_bare(sent)
            loaded = arguments["body"] = body.load({} if is_bare else _json(sent, most_bytes))
        asked = _query(sent)
        if is_table:
            g.form = format_asked(sent, asked.pop("format", None))
        if query is not None:
            arguments["query"] = query.load(asked)
        elif asked:
            raise ValidationError({name: ["Unknown field."] for name in asked})
        if key_text is None:
            return None
        principal_id = NOBODY if caller is None else caller.principal_id
        return Key(principal_id, key_text, fingerprint(f"{sent.method} {sent.path}", loaded))

    return read


def _calling(route: Route) -> Call:
    """Choose how the view is called: in whose transaction, and who keeps the answer."""
    view, write = route.view, _table_writing(route) if route.is_table else _writing(route)
    opened = snapshot if route.transaction == "snapshot" else transaction

    def work(arguments: Arguments) -> Response:
        value = view(**arguments)
        if route.transaction == "one":
            db.session.flush()  # so that what the database fills in is there to be written
        return write(value)

    def in_transaction(arguments: Arguments) -> Response:
        with opened():
            return work(arguments)

    def plainly(arguments: Arguments, key: Key | None) -> Response:
        if route.idempotency == "domain":
            arguments["key"] = key
        if route.transaction == "own":
            return work(arguments)
        return again(lambda: in_transaction(arguments))

    def once(arguments: Arguments, key: Key | None) -> Response:
        if key is None:
            raise RuntimeError(f"{route.name} keeps answers, and was read without its key")
        keep = idempotency.once if route.transaction == "one" else idempotency.once_apart
        return keep(key, lambda: work(arguments))

    return once if route.idempotency == "answer" else plainly


def _writing(route: Route) -> Callable[[Any], Response]:
    dump = route.answer.dump if route.answer is not None else None

    def write(value: Any) -> Response:
        if isinstance(value, Response):
            return value
        status = route.status
        if type(value) is tuple:
            value, status = value
        if dump is not None:
            value = dump(value)
        return written(value, status)

    return write


def _table_writing(route: Route) -> Callable[[Any], Response]:
    if route.answer is None:
        raise TypeError(f"{route.name}: a table has the schema of its answer")
    table = Table(route.answer)
    name = route.address_name

    def write(value: Any) -> Response:
        return table_answer(table, value, form=g.form, name=name, sent=request_ctx.request)

    return write


def _is_bare(sent: Request) -> bool:
    """Whether it has no body at all: neither a kind nor a length, nor pieces of one."""
    has_pieces = "HTTP_TRANSFER_ENCODING" in sent.environ
    return not sent.environ.get("CONTENT_TYPE") and not sent.content_length and not has_pieces


def _json(sent: Request, most_bytes: int) -> Any:
    kind = sent.environ.get("CONTENT_TYPE", "")
    if kind != JSON and not _JSON_TYPE.fullmatch(kind):
        raise UnsupportedMediaType
    raw = _body(sent, most_bytes)
    signing.refuse_other_body(raw)
    return strict_json.parse(raw)


def _body(sent: Request, most_bytes: int) -> bytes:
    """Read a body; one of a told length past werkzeug's stream, which looks at each piece."""
    length = sent.content_length
    if length is None:  # sent in pieces: werkzeug would cut it off in silence
        sent.max_content_length = most_bytes + 1
        raw = sent.get_data(cache=False)
        length = len(raw)
    elif length <= most_bytes:
        raw = sent.environ["wsgi.input"].read(length)
        if len(raw) < length:
            raise ClientDisconnected
    if length > most_bytes:
        raise BodyTooLarge(most=most_bytes)
    return raw


def _query(sent: Request) -> dict[str, str]:
    """Read the query, each name once.

    Raises:
        ValidationError: a name came twice, or a value holds NUL.
    """
    if not sent.query_string:
        return {}
    query, wrong = {}, {}
    for name, values in sent.args.lists():
        if len(values) > 1:
            wrong[name] = ["Given more than once."]
        elif not is_storable(name + values[0]):
            wrong[name] = ["Contains a character that is not allowed."]
        query[name] = values[0]
    if wrong:
        raise ValidationError(wrong)
    return query
