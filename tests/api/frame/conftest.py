"""A resource of probes: routes that do next to nothing, in every way a route can be declared."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from marshmallow import fields
from sqlalchemy import func, select

from api.auth import (
    Caller,
    DeviceCaller,
    MemberCaller,
    OfficeCaller,
    TillCaller,
    TillToken,
    anyone,
    device,
    member,
    office,
    till,
    till_or_device,
    till_token,
)
from api.fields import Cups, Day, Id, Integer, Name, Schema, Text, Timestamp
from api.idempotency import mark_replayed
from api.paging import Page, page_of, paged
from api.routing import Resource
from chain.models import LegalEntity
from chain.policy import MAY_CALL
from kernel.db import db
from kernel.errors import Conflict, Invalid, NotFound, TryAgain, Unavailable
from kernel.idempotency import Key
from kernel.ids import new_id
from kernel.transaction import transaction
from tests.api.frame.tables import tables
from tests.conftest import Engines

probes = Resource("probes", "/v1/probes", "Probes: for the tests of the frame.")

ABOUT = {"description": "For the tests."}


class Full(Conflict):
    code = "frame-probe-full"


class Odd(Invalid):
    code = "frame-probe-odd"


class PartBody(Schema):
    cups = Cups(required=True, metadata=ABOUT)


class ProbeBody(Schema):
    name = Name(required=True, metadata=ABOUT)
    cups = Cups(metadata=ABOUT)
    count = Integer(metadata=ABOUT)
    at = Timestamp(metadata=ABOUT)
    on = Day(metadata=ABOUT)
    store_id = Id(metadata=ABOUT)
    note = Text(most=20, metadata=ABOUT)
    parts = fields.List(fields.Nested(PartBody), metadata=ABOUT)


class ProbeView(Schema):
    name = fields.String(required=True, metadata=ABOUT)


class NumberView(Schema):
    number = fields.Integer(required=True, metadata=ABOUT)


class WorkBody(Schema):
    """What a probe is to do: nothing, wait, refuse, or break."""

    name = Name(required=True, metadata=ABOUT)
    then = fields.String(load_default="", metadata=ABOUT)


@probes.post("", guard=anyone, body=ProbeBody, status=201)
def echo(*, body: dict[str, Any]) -> dict[str, Any]:
    """Answer the body as it was understood."""
    return body


@probes.get("", guard=anyone, query=Page, answer=paged(NumberView))
def list_numbers(*, query: dict[str, Any]) -> dict[str, Any]:
    """List the numbers from 1 to 7."""

    def read(limit: int, after: Any) -> list[dict[str, int]]:
        first = after[0] + 1 if after else 1
        return [{"number": number} for number in range(first, 8)][:limit]

    return page_of(read, query=query, position=lambda row: (row["number"],))


@probes.get("/<uuid:probe_id>", guard=anyone, transaction="own")
def get_probe(*, probe_id: Any) -> Any:
    """Find nothing."""
    raise NotFound(probe_id=str(probe_id))


@probes.get("/bug", guard=anyone, transaction="own")
def break_down() -> Any:
    """Break, with what somebody sent in the message."""
    raise ValueError("cannot read 0912345678")


@probes.get("/outage", guard=anyone, transaction="own")
def fail() -> Any:
    """Find the database away."""
    raise Unavailable


@probes.get("/busy", guard=anyone)
def be_busy() -> Any:
    """Lose against other transactions every time."""
    raise TryAgain


@probes.get("/member", guard=member, transaction="own")
def as_member(*, caller: MemberCaller) -> Any:
    """Say who."""
    return _said(caller)


@probes.post("/member", guard=member, transaction="own")
def change_as_member(*, caller: MemberCaller) -> Any:
    """Say who, unsafely."""
    return _said(caller)


@probes.get("/till", guard=till, transaction="own")
def as_till(*, caller: TillCaller) -> Any:
    """Say who."""
    return _said(caller)


@probes.get("/till-token", guard=till_token, transaction="own")
def as_till_token(*, caller: TillToken) -> Any:
    """Say which digest."""
    return {"digest": caller.digest.hex()}


@probes.get("/device", guard=device, transaction="own")
def as_device(*, caller: DeviceCaller) -> Any:
    """Say who."""
    return _said(caller)


@probes.get("/till-or-device", guard=till_or_device, transaction="own")
def as_till_or_device(*, caller: TillCaller | DeviceCaller) -> Any:
    """Say who."""
    return _said(caller)


@probes.post("/signed", guard=till, body=ProbeBody, transaction="own")
def signed(*, caller: TillCaller, body: dict[str, Any]) -> dict[str, Any]:
    """Answer the body as it was signed."""
    del caller
    return body


@probes.get("/office", guard=office("finance"), transaction="own")
def as_office(*, caller: OfficeCaller) -> Any:
    """Say who."""
    return _said(caller)


@probes.post("/once", guard=member, body=WorkBody, answer=ProbeView, status=201,
             idempotency="answer", refusals=(Full, Odd))  # fmt: skip
def work_once(*, caller: MemberCaller, body: dict[str, Any]) -> Any:
    """Write one row in the frame's transaction."""
    del caller
    write_row(body["name"])
    return _then(body)


@probes.post("/apart", guard=member, body=WorkBody, answer=ProbeView, status=201,
             idempotency="answer", transaction="own", refusals=(Full, Odd))  # fmt: skip
def work_apart(*, caller: MemberCaller, body: dict[str, Any]) -> Any:
    """Write one row in a transaction of the view's own."""
    del caller
    with transaction():
        write_row(body["name"])
    return _then(body)


@probes.post("/domain", guard=till_token, body=WorkBody, idempotency="domain", transaction="own")
def keep_in_domain(*, caller: TillToken, body: dict[str, Any], key: Key) -> Any:
    """Say which key came; an answer called `old` is an earlier one."""
    del caller
    if body["name"] == "old":
        mark_replayed()
    return {"key": key.key, "principal": str(key.principal_id)}


def write_row(name: str) -> None:
    db.session.add(LegalEntity(id=new_id(), code=str(new_id()), name=name))


def rows_written() -> int:
    with transaction():
        return db.session.scalar(select(func.count()).select_from(LegalEntity)) or 0


def _then(body: dict[str, Any]) -> Any:
    match body["then"]:
        case "wait":
            time.sleep(0.3)
        case "full":
            raise Full
        case "odd":
            raise Odd
        case "absent":
            raise NotFound
        case "outage":
            raise Unavailable
        case "bug":
            raise ValueError("a bug")
    return body


def _said(caller: Caller) -> dict[str, str]:
    return {name: str(getattr(caller, name)) for name in caller.__slots__}


@pytest.fixture(scope="session")
def probe_application(engines: Engines) -> Iterator[Flask]:
    """The whole application and the probes, which every till may call."""
    from api.app import RESOURCES, create_app  # noqa: PLC0415  only tests of HTTP pay for it

    del engines
    made = create_app((*RESOURCES, probes, tables))
    made.testing = True
    probing = {f"probes.{route.name}" for route in probes.routes}
    with pytest.MonkeyPatch.context() as rights:
        rights.setitem(MAY_CALL, "till", MAY_CALL["till"] | probing)  # type: ignore[misc]
        yield made


@pytest.fixture
def probe_app(probe_application: Flask, app: Flask) -> Iterator[Flask]:
    """The application with the probes, on an empty database."""
    del app
    yield probe_application
    with probe_application.app_context():
        db.engine.dispose()  # racers opened many connections


@pytest.fixture
def probe(probe_app: Flask) -> FlaskClient:
    """A client of the application with the probes."""
    return probe_app.test_client()
