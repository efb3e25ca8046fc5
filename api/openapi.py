"""OpenAPI 3.1, made from the routes as they are registered: nothing is written down twice."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Response, current_app
from marshmallow import Schema, fields

from api import problems, strict_json
from api.auth import anyone
from api.docstrings import docstring
from api.errors import PROBLEM_JSON, TOO_OFTEN
from api.fields import MoneyField
from api.idempotency import HEADER, KEY_PATTERN, REPLAYED
from api.refusals import (
    AddressTooLong,
    BadRequest,
    BodyTooLarge,
    HeadersTooLarge,
    KeyMalformed,
    KeyMissing,
    MalformedJson,
    OurFault,
    OutOfService,
    UnsupportedMediaType,
    Validation,
)
from api.route import Route
from api.routing import Resource
from api.tables import FORMAT_PARAMETER
from api.tables.formats import CSV, JSON, XLSX
from api.tables.refusals import WorkbookBusy, WorkbookTooBig
from kernel.errors import NotFound, Refusal
from kernel.idempotency import KeyInFlight, KeyReused

EXTENSION = "jibei.openapi"

documents = Resource("documents", "", "Documents: this interface, described.")


@documents.get("/openapi.json", guard=anyone, transaction="own")
def openapi_document() -> Response:
    """Describe the interface as OpenAPI 3.1."""
    return Response(current_app.extensions[EXTENSION](), content_type="application/json")


def written(resources: Sequence[Resource]) -> bytes:
    """Write the document of these resources."""
    return strict_json.write(described(resources))


def described(resources: Sequence[Resource]) -> dict[str, Any]:
    """Describe these resources."""
    plugin = MarshmallowPlugin(schema_name_resolver=_Names().of)
    spec = APISpec(
        title="Jibei 寄杯",
        version="1",
        openapi_version="3.1.0",
        info={"description": _ABOUT, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        plugins=[plugin],
        tags=[{"name": resource.name, "description": resource.about} for resource in resources],
    )
    if plugin.converter is None:
        raise RuntimeError("the plug-in has not been initialised by its document")
    plugin.converter.add_attribute_function(_money)  # type: ignore[no-untyped-call]
    _describe_common(spec)
    for resource in resources:
        for route in resource.routes:
            path = _BRACKETS.sub(r"{\1}", resource.prefix + route.path)
            spec.path(path, operations={route.method.lower(): _operation(spec, route)})
    return spec.to_dict()


_ABOUT = """\
Bulk cup vouchers and monthly plans of a drink chain: sold by pack or by plan, collected a few
cups at a time at any branch.

Times are RFC 3339 with their offset, dates YYYY-MM-DD, money an integer of minor units with its
currency, ids opaque. Lists go on with a cursor. What cannot be done is `application/problem+json`
with a `type` that can be looked up here. What moves cups or money wants an `Idempotency-Key`: the
same key with the same body gets the first answer again.
"""
_BRACKETS = re.compile(r"<(?:[^:>]+:)?(\w+)>")
_UUIDS = re.compile(r"<uuid:(\w+)>")


def _operation(spec: APISpec, route: Route) -> dict[str, Any]:
    summary, _, description = docstring(route.view).partition("\n")
    operation: dict[str, Any] = {
        "operationId": f"{route.resource}.{route.name}",
        "tags": [route.resource],
        "summary": summary.removesuffix("."),
        "security": _security(route),
        "parameters": list(_parameters(route)),
        "responses": {**_success(route), **_failures(spec, route)},
    }
    told = " ".join(description.split("\nRaises:")[0].split())
    if route.guard.roles:
        told = f"{told} For: {', '.join(route.guard.roles)}.".strip()
    if told:
        operation["description"] = told
    if route.body is not None:
        content = {"application/json": {"schema": route.body}}
        operation["requestBody"] = {"required": not route.may_be_bare, "content": content}
    return operation


def _security(route: Route) -> list[dict[str, list[str]]]:
    """Answer the ways to be let in, each with all that it takes.

    Devices sign, but for those that were enrolled before there were keys.
    """
    ways = {"till": [["signature"], []], "device": [["signature"], []]}
    if route.method != "GET":
        ways["browser"] = [["csrf"]]
    return [
        {name: [] for name in (scheme, *beside)}
        for scheme in route.guard.schemes
        for beside in ways.get(scheme, [[]])
    ]


def _parameters(route: Route) -> Iterator[Any]:
    uuids = set(_UUIDS.findall(route.path))
    for name in route.path_names:
        schema = {"type": "string", "format": "uuid"} if name in uuids else {"type": "string"}
        about = f"Which {name.removesuffix('_id').replace('_', ' ')}."
        yield {"in": "path", "name": name, "required": True, "schema": schema, "description": about}
    if route.query is not None:
        yield {"in": "query", "schema": route.query}
    if route.is_table:
        yield "Format"
    if route.idempotency != "none":
        yield "IdempotencyKey"


def _success(route: Route) -> dict[str, Any]:
    if route.answer is None and route.status == _NO_CONTENT:
        return {str(_NO_CONTENT): {"description": "Done."}}
    answer: dict[str, Any] = {"description": "As asked."}
    answer["content"] = {kind: {"schema": _written_as(kind, route)} for kind in route.produces}
    if route.idempotency != "none":
        answer["headers"] = {REPLAYED: {"$ref": "#/components/headers/IdempotencyReplayed"}}
    return {str(route.status): answer}


_NO_CONTENT = 204


def _written_as(kind: str, route: Route) -> Any:
    if route.is_table and kind != JSON:
        return {"type": "string", "description": _AS_FILE[kind]}
    return route.answer if route.answer is not None else {}


_AS_FILE = {
    CSV: "The `rows`: a line of names, and a line for each.",
    XLSX: "A sheet `rows`, continued on more where it is full, and a sheet `about` with the rest.",
}


def _failures(spec: APISpec, route: Route) -> dict[str, dict[str, str]]:
    """Answer which component describes each status that may be answered instead."""
    by_status: dict[int, set[str]] = defaultdict(set)
    for refusal in refusals_of(route):
        by_status[problems.status_of(refusal)].add(refusal.code)
    return {
        str(status): _component(spec, status, sorted(slugs))
        for status, slugs in sorted(by_status.items())
    }


def refusals_of(route: Route) -> Iterator[type[Refusal]]:
    """Name everything that a route may refuse: its own, and what its declaration brings."""
    yield from route.refusals
    yield from route.guard.refusals
    yield from (Validation, BadRequest, AddressTooLong, HeadersTooLarge, OutOfService, OurFault)
    if route.is_table:
        yield from (WorkbookBusy, WorkbookTooBig)
    if route.path_names:
        yield NotFound
    if route.body is not None:
        yield from (MalformedJson, UnsupportedMediaType, BodyTooLarge)
    if route.idempotency != "none":
        yield from (KeyMissing, KeyMalformed, KeyReused, KeyInFlight)


def _component(spec: APISpec, status: int, slugs: list[str]) -> dict[str, str]:
    name = "-".join([str(status), *slugs])
    if name not in spec.components.responses:
        spec.components.response(name, _problem_response(status, slugs))
    return {"$ref": f"#/components/responses/{name}"}


def _problem_response(status: int, slugs: list[str]) -> dict[str, Any]:
    entries = {slug: problems.catalogue().get(slug) for slug in slugs}
    told = [f"`{slug}`: {entry.en[0] if entry else slug}" for slug, entry in entries.items()]
    kind = {"type": "object", "properties": {"reason": {"type": "string", "enum": slugs}}}
    schema = {"allOf": [{"$ref": "#/components/schemas/Problem"}, kind]}
    response = {"description": "; ".join(told), "content": {PROBLEM_JSON: {"schema": schema}}}
    headers = {}
    if status == TOO_OFTEN:
        headers["RateLimit"] = {"$ref": "#/components/headers/RateLimit"}
    if status == TOO_OFTEN or any(entry and entry.retry_after for entry in entries.values()):
        headers["Retry-After"] = {"$ref": "#/components/headers/RetryAfter"}
    return {**response, "headers": headers} if headers else response


def _describe_common(spec: APISpec) -> None:
    spec.components.schema("Problem", _PROBLEM)
    spec.components.schema("Money", _MONEY)
    spec.components.parameter("IdempotencyKey", "header", _KEY_PARAMETER)
    spec.components.parameter("Format", "query", FORMAT_PARAMETER)
    spec.components.header("IdempotencyReplayed", _REPLAYED)
    spec.components.header("RetryAfter", _RETRY_AFTER)
    spec.components.header("RateLimit", _RATE_LIMIT)
    for name, scheme in _SCHEMES.items():
        spec.components.security_scheme(name, scheme)


def _money(_converter: Any, field: fields.Field[Any], **_: Any) -> dict[str, Any]:
    if not isinstance(field, MoneyField):
        return {}
    money = {"$ref": "#/components/schemas/Money"}
    return {"anyOf": [money, {"type": "null"}]} if field.allow_none else money


class _Names:
    """Names of schemas: their class's; with their file's in front where two would be the same."""

    def __init__(self) -> None:
        self._taken: dict[str, type[Schema]] = {}

    def of(self, schema: Any) -> str:
        """Name a schema; one of which only parts are shown is named for them."""
        kind = schema if isinstance(schema, type) else type(schema)
        only = () if isinstance(schema, type) else sorted(schema.only or ())
        name = kind.__name__ + "".join(part.title().replace("_", "") for part in only)
        if self._taken.setdefault(name, kind) is not kind:
            name = kind.__module__.rpartition(".")[2].title().replace("_", "") + name
        return str(name)


_PROBLEM = {
    "type": "object",
    "description": "Why something was not done (RFC 9457), with the facts of the case beside it.",
    "required": ["type", "title", "status", "detail", "reason"],
    "properties": {
        "type": {"type": "string", "description": "Address of the problem's description."},
        "title": {"type": "string", "description": "In short, in the caller's language."},
        "status": {"type": "integer", "description": "The HTTP status again."},
        "detail": {"type": "string", "description": "A sentence, in the caller's language."},
        "reason": {"type": "string", "description": "The problem's name, for machines."},
        "errors": {
            "type": "array",
            "description": "With `validation`: which fields, and what is wrong with each.",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {
                    "field": {"type": "string", "description": "The way to it, `items.0.packs`."},
                    "message": {"type": "string", "description": "In the caller's language."},
                },
            },
        },
    },
}
_MONEY = {
    "type": "object",
    "description": "An amount of money.",
    "required": ["amount", "currency"],
    "properties": {
        "amount": {"type": "integer", "description": "Minor units; for TWD whole dollars."},
        "currency": {"type": "string", "description": "ISO 4217.", "examples": ["TWD"]},
    },
}
_KEY_PARAMETER = {
    "name": HEADER,
    "required": True,
    "description": "Made by the caller, new for each thing to be done, the same for its retries.",
    "schema": {"type": "string", "pattern": KEY_PATTERN},
}
_REPLAYED = {
    "description": "This answer was given before, to the same key.",
    "schema": {"type": "string", "const": "true"},
}
_RETRY_AFTER = {
    "description": "After so many seconds it is worth another try.",
    "schema": {"type": "integer", "minimum": 1},
}
_RATE_LIMIT = {
    "description": "Which limit was met, how many tries it leaves (`r`), and for how many seconds"
    ' (`t`): `"rate-limited";r=0;t=840`.',
    "schema": {"type": "string"},
}
_SCHEMES: dict[str, dict[str, str]] = {
    "member": {"type": "http", "scheme": "bearer", "description": "A shopper's app: `mem_…`."},
    "browser": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-jibei",
        "description": "A shopper's browser; what changes something wants `csrf` as well.",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": "Comes with the session; together with the Origin of our own page.",
    },
    "till": {"type": "http", "scheme": "bearer", "description": "A shift at a till: `shf_…`."},
    "device": {"type": "http", "scheme": "bearer", "description": "An enrolled device: `dev_…`."},
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "Signature",
        "description": "By the device's own Ed25519 key, over method, path, query, token, body and"
        " idempotency key (RFC 9421), with `Signature-Input` and, where there is a body,"
        " `Content-Digest`: see docs/devices.md. A device enrolled before there were keys sends"
        " none.",
    },
    "office": {"type": "http", "scheme": "bearer", "description": "A desk: `off_…`."},
}
