"""The documents: complete, right, and readable without a network."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from marshmallow import Schema, fields
from schemathesis import openapi

from api.app import RESOURCES
from api.openapi import described
from api.route import Route

from .conftest import probes

ROUTES = [
    pytest.param(resource.prefix + route.path, route, id=f"{route.method} {route.path}")
    for resource in RESOURCES
    for route in resource.routes
]


def schemas_of(schema: Schema) -> Iterator[Schema]:
    """A schema, and those inside it."""
    yield schema
    for field in schema.fields.values():
        inner = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, fields.Nested):
            yield from schemas_of(inner.schema)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return described([probes])


def test_the_document_is_served_and_is_openapi(client: FlaskClient) -> None:
    served = client.get("/openapi.json").json

    assert served["openapi"] == "3.1.0"
    openapi.from_dict(served).validate()


def test_every_route_is_in_the_document(client: FlaskClient) -> None:
    served = client.get("/openapi.json").json

    for resource in RESOURCES:
        for route in resource.routes:
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", resource.prefix + route.path)
            assert route.method.lower() in served["paths"][path]


@pytest.mark.parametrize(("path", "route"), ROUTES)
def test_every_field_is_described(path: str, route: Route) -> None:
    undescribed = [
        f"{type(schema).__name__}.{name}"
        for part in (route.body, route.query, route.answer)
        if part is not None
        for schema in schemas_of(part)
        for name, field in schema.fields.items()
        if not field.metadata.get("description")
    ]

    assert undescribed == [], path


def test_names_of_operations_are_given_once(client: FlaskClient) -> None:
    served = client.get("/openapi.json").json
    names = [
        operation["operationId"] for path in served["paths"].values() for operation in path.values()
    ]

    assert len(names) == len(set(names))


def test_a_route_lists_what_its_declaration_brings(document: dict[str, Any]) -> None:
    post = document["paths"]["/v1/probes/once"]["post"]

    responses = {status: reference["$ref"] for status, reference in post["responses"].items()
                 if "$ref" in reference}  # fmt: skip
    assert {"400", "401", "403", "409", "413", "414", "415", "422", "431", "503"} <= set(responses)
    assert responses["409"].endswith("409-frame-probe-full-idempotency-in-flight")
    assert {"$ref": "#/components/parameters/IdempotencyKey"} in post["parameters"]
    assert post["security"] == [{"member": []}, {"browser": [], "csrf": []}]
    assert post["requestBody"]["required"] is True
    assert "Idempotency-Replayed" in post["responses"]["201"]["headers"]


def test_a_reading_route_lists_its_query_and_path(document: dict[str, Any]) -> None:
    listed = document["paths"]["/v1/probes"]["get"]
    got = document["paths"]["/v1/probes/{probe_id}"]["get"]

    by_name = {parameter["name"]: parameter for parameter in listed["parameters"]}
    assert by_name["limit"]["schema"]["maximum"] == 200
    assert set(by_name) == {"limit", "cursor"}
    assert got["parameters"][0]["schema"] == {"type": "string", "format": "uuid"}
    assert "404" in got["responses"]
    assert got["security"] == []


def test_a_desk_route_says_for_whom_it_is(document: dict[str, Any]) -> None:
    assert document["paths"]["/v1/probes/office"]["get"]["description"] == "For: finance."


def test_bodies_are_closed(document: dict[str, Any]) -> None:
    assert document["components"]["schemas"]["ProbeBody"]["additionalProperties"] is False
    assert document["components"]["schemas"]["PartBody"]["additionalProperties"] is False


def test_the_page_loads_nothing_from_elsewhere_and_runs_no_inline_script(
    client: FlaskClient,
) -> None:
    with client.get("/docs") as page:
        text = page.text

    assert page.status_code == 200
    assert "default-src 'none'; script-src 'self';" in page.headers["Content-Security-Policy"]
    loaded = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert len(loaded) >= 4
    for address in loaded:
        assert address.startswith(("/", "data:")), address
        if address.startswith("/"):
            with client.get(address) as asset:
                assert asset.status_code == 200
    assert re.findall(r"<script(?![^>]* src=)", text) == []


def test_the_pages_assets_come_with_their_licence(client: FlaskClient) -> None:
    with client.get("/docs/static/swagger-ui/LICENSE") as licence:
        assert "Apache License" in licence.text


@pytest.mark.parametrize("path", ["../docs.py", "..%2fdocs.py", "%2e%2e/docs.py", "nothing.js"])
def test_only_assets_are_served(client: FlaskClient, path: str) -> None:
    assert client.get(f"/docs/static/{path}").status_code == 404
