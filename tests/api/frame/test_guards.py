"""Who may call what: every guard against every token, and every route against nobody."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api import browser
from api.app import RESOURCES, create_app
from api.auth import Guard, anyone, till_token
from api.routing import Resource
from kernel import clock, secrets
from kernel.config import config

from .principals import HOUR, bearer, device_token, member_token, office_token, shift_token, staff

ROUTES = [
    pytest.param(resource, route, id=f"{route.method} {resource.prefix}{route.path}")
    for resource in RESOURCES
    for route in resource.routes
]
IN_PATH = {"uuid": "0199b5a0-0000-7000-8000-000000000001"}


def tokens() -> dict[str, str]:
    """One good token of each kind."""
    device_id, of_device = device_token()
    clerk, finance = staff(role="clerk"), staff(role="finance")
    return {
        "member": member_token(),
        "device": of_device,
        "till": shift_token(device_id=device_id, staff_id=clerk.id),
        "office": office_token(staff_id=finance.id),
    }


@pytest.mark.parametrize(("resource", "route"), ROUTES)
def test_every_route_says_who_may_call_it(resource: Resource, route: Any) -> None:
    assert isinstance(route.guard, Guard), f"{resource.name}.{route.name}"


@pytest.mark.parametrize(("resource", "route"), ROUTES)
def test_nobody_gets_past_a_guard(client: FlaskClient, resource: Resource, route: Any) -> None:
    if route.guard.is_open:
        return
    path = (resource.prefix + route.path).replace("<uuid:", "<")
    for name in route.path_names:
        path = path.replace(f"<{name}>", IN_PATH["uuid"])

    for headers in ({}, bearer("nonsense"), bearer(secrets.new_token("mem_"))):
        answer = client.open(path, method=route.method, headers=headers)
        assert (answer.status_code, answer.json["reason"]) == (401, "unauthenticated"), path


def test_a_route_without_a_guard_cannot_be_declared() -> None:
    resource = Resource("open", "/v1/open", "Open.")

    with pytest.raises(TypeError):
        resource.get("")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="who may call"):
        resource.get("", guard=None)(lambda: None)  # type: ignore[arg-type]


def test_a_route_that_came_in_past_the_resources_is_not_served(app: Flask) -> None:
    del app
    sneaked = Resource("sneaked", "/v1/sneaked", "Sneaked in.")
    sneaked.blueprint.add_url_rule("/hole", "hole", lambda: "hole")

    with pytest.raises(RuntimeError, match=r"declare no guard: sneaked\.hole"):
        create_app([sneaked])


@pytest.mark.parametrize(
    ("declared", "wrong"),
    [
        ({"guard": anyone, "idempotency": "answer"}, "the guard names none"),
        ({"guard": till_token, "idempotency": "answer"}, "takes"),
        ({"guard": anyone, "idempotency": "domain"}, "gives"),
    ],
)
def test_a_route_is_declared_as_its_view_is(declared: dict[str, Any], wrong: str) -> None:
    def view() -> None:
        """Do nothing."""

    with pytest.raises(TypeError, match=wrong):
        Resource("odd", "/v1/odd", "Odd.").post("", **declared)(view)


@pytest.mark.parametrize("guard", ["member", "till", "till-token", "device", "office"])
def test_a_guard_takes_its_own_kind_of_token_only(probe: FlaskClient, guard: str) -> None:
    own = guard.removesuffix("-token")

    for kind, token in tokens().items():
        answer = probe.get(f"/v1/probes/{guard}", headers=bearer(token))
        assert answer.status_code == (200 if kind == own else 401), kind


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic {token}",
        "Token {token}",
        "{token}",
        "Bearer {token} ",
        "Bearer {token}, Bearer {token}",
        "Bearer {token}x",
        "Bearer mem_",
        "Bearer mem_é",
        "Bearer mem_" + "A" * 43,
        "Bearer shf_" + "A" * 43,
    ],
)
def test_a_header_that_is_not_a_token_of_ours_is_refused(
    probe: FlaskClient, authorization: str
) -> None:
    header = authorization.replace("{token}", member_token())

    answer = probe.get(
        "/v1/probes/member", headers={"Authorization": header.encode().decode("latin-1")}
    )

    assert (answer.status_code, answer.json["reason"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_caller_is_who_the_token_says(probe: FlaskClient) -> None:
    device_id, token = device_token()
    manager = staff(role="manager")
    of_shift = shift_token(device_id=device_id, staff_id=manager.id)

    at_till = probe.get("/v1/probes/till", headers=bearer(of_shift)).json
    at_device = probe.get("/v1/probes/device", headers={"Authorization": f"bearer  {token}"}).json
    by_digest = probe.get("/v1/probes/till-token", headers=bearer(of_shift)).json

    assert at_till["device_id"] == at_device["device_id"] == str(device_id)
    assert at_till["store_id"] == at_device["store_id"]
    assert (at_till["staff_id"], at_till["role"]) == (str(manager.id), "manager")
    assert by_digest == {"digest": secrets.digest(of_shift).hex()}


@pytest.mark.parametrize("role", ["clerk", "manager", "admin"])
def test_another_role_at_a_desk_is_not_enough(probe: FlaskClient, role: str) -> None:
    token = office_token(staff_id=staff(role=role).id)

    answer = probe.get("/v1/probes/office", headers=bearer(token))

    assert (answer.status_code, answer.json["reason"]) == (403, "forbidden")


@pytest.mark.parametrize("end", [{"ended_at": True}, {"ends_at": True}])
def test_a_session_that_ended_is_no_session(probe: FlaskClient, end: dict[str, bool]) -> None:
    ended = dict.fromkeys(end, clock.now() - timedelta(seconds=1))
    device_id, _ = device_token()

    over = {
        "member": member_token(**ended),
        "till": shift_token(device_id=device_id, staff_id=staff(role="clerk").id, **ended),
        "office": office_token(staff_id=staff(role="finance").id, **ended),
    }

    for guard, token in over.items():
        assert probe.get(f"/v1/probes/{guard}", headers=bearer(token)).status_code == 401, guard


def test_somebody_who_was_disabled_is_out_at_once(probe: FlaskClient) -> None:
    device_id, _ = device_token()
    clerk = staff(role="clerk", disabled_at=clock.now())
    finance = staff(role="finance", disabled_at=clock.now())

    at_till = shift_token(device_id=device_id, staff_id=clerk.id)
    at_desk = office_token(staff_id=finance.id)

    assert probe.get("/v1/probes/till", headers=bearer(at_till)).status_code == 401
    assert probe.get("/v1/probes/office", headers=bearer(at_desk)).status_code == 401


def test_a_revoked_till_is_out_at_once(probe: FlaskClient) -> None:
    device_id, token = device_token(revoked_at=clock.now())
    at_till = shift_token(device_id=device_id, staff_id=staff(role="clerk").id)

    assert probe.get("/v1/probes/device", headers=bearer(token)).status_code == 401
    assert probe.get("/v1/probes/till", headers=bearer(at_till)).status_code == 401


def cookie_client(app: Flask, token: str) -> FlaskClient:
    """A browser that holds the session cookie."""
    holding = app.test_client()
    holding.set_cookie(browser.COOKIE, token, secure=True, domain="localhost")
    return holding


def changing(app: Flask, token: str, **headers: str) -> int:
    """Try an unsafe request with the cookie."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    holding = cookie_client(app, token)
    return holding.post(
        "/v1/probes/member", base_url="https://localhost", headers=named
    ).status_code


def test_a_cookie_is_enough_to_read(probe_app: Flask) -> None:
    holding = cookie_client(probe_app, member_token())

    assert holding.get("/v1/probes/member", base_url="https://localhost").status_code == 200


def test_a_cookie_changes_something_only_from_our_own_page(probe_app: Flask) -> None:
    token, ours = member_token(), config().public_origin
    good = browser.csrf_token(token)

    assert changing(probe_app, token, Origin=ours, X_CSRF_Token=good) == 200
    assert changing(probe_app, token, Origin=ours) == 403
    assert changing(probe_app, token, X_CSRF_Token=good) == 403
    assert changing(probe_app, token, Origin="null", X_CSRF_Token=good) == 403
    assert changing(probe_app, token, Origin="https://evil.example", X_CSRF_Token=good) == 403
    assert changing(probe_app, token, Origin=ours + ".evil.example", X_CSRF_Token=good) == 403
    other = browser.csrf_token(secrets.new_token("mem_"))
    assert changing(probe_app, token, Origin=ours, X_CSRF_Token=other) == 403
    assert changing(probe_app, token, Origin=ours, X_CSRF_Token="é") == 403


def test_a_forged_request_is_told_why(probe_app: Flask) -> None:
    holding = cookie_client(probe_app, member_token())

    answer = holding.post("/v1/probes/member", base_url="https://localhost")

    assert answer.json["reason"] == "csrf"


def test_a_token_in_the_header_needs_no_origin(probe: FlaskClient) -> None:
    assert probe.post("/v1/probes/member", headers=bearer(member_token())).status_code == 200


def test_a_cookie_of_a_till_opens_nothing(probe_app: Flask) -> None:
    device_id, _ = device_token()
    token = shift_token(device_id=device_id, staff_id=staff(role="clerk").id)
    holding = cookie_client(probe_app, token)

    for guard in ("member", "till", "till-token", "device", "office"):
        answer = holding.get(f"/v1/probes/{guard}", base_url="https://localhost")
        assert answer.status_code == 401, guard


def test_the_session_cookie_is_closed_to_scripts_and_other_sites(
    probe_app: Flask, now: datetime
) -> None:
    with probe_app.test_request_context("/v1/sessions", method="POST"):
        browser.keep_session("mem_token", ends_at=now + HOUR)
        kept = probe_app.process_response(probe_app.make_response("{}")).headers["Set-Cookie"]
        browser.forget_session()
        forgotten = probe_app.process_response(probe_app.make_response("{}")).headers["Set-Cookie"]

    parts = set(kept.split("; "))
    assert "__Host-jibei=mem_token" in parts
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= parts
    assert not any(part.startswith("Domain") for part in parts)
    assert "Expires=Wed, 14 Jan 2026 05:00:00 GMT" in parts
    assert "Expires=Thu, 01 Jan 1970 00:00:00 GMT" in forgotten


def test_a_refused_answer_sets_no_cookie(probe_app: Flask, now: datetime) -> None:
    with probe_app.test_request_context("/v1/sessions", method="POST"):
        browser.keep_session("mem_token", ends_at=now + HOUR)
        refused = probe_app.process_response(probe_app.make_response(("{}", 409)))

    assert "Set-Cookie" not in refused.headers
