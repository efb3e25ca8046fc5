"""What a device signs, over HTTP: every way in which it could be wrong is nobody (401)."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from api.app import RESOURCES
from chain.policy import MAY_CALL
from dev.device_key import DeviceKey
from kernel import clock
from kernel.ids import new_id
from tests.api.hostile.examples import example
from tests.api.hostile.targets import TARGETS
from tests.signing import SigningDevice

from .principals import device_token, shift_token, staff

GET = ("GET", "/v1/probes/till")
POST = ("POST", "/v1/probes/signed")
BODY = b'{"name": "Alice"}'
JSON = {"content_type": "application/json"}


@pytest.fixture
def till(probe: FlaskClient) -> SigningDevice:
    """A till with a key, and a clerk at it."""
    key = DeviceKey()
    device_id, _ = device_token(public_key=key.public)
    key.device_id = str(device_id)
    of_shift = shift_token(device_id=device_id, staff_id=staff(role="clerk").id)
    return SigningDevice(probe, key, of_shift)


def status(answer: Any) -> tuple[int, str | None]:
    return answer.status_code, answer.json.get("reason") if answer.is_json else None


REFUSED = (401, "unauthenticated")


def test_what_a_till_signed_is_served(till: SigningDevice):
    assert till.send(*GET).status_code == 200
    assert till.send("GET", "/v1/probes/till?").status_code == 200
    assert till.send(*POST, {"name": "Alice"}).json == {"name": "Alice"}


def test_a_till_with_a_key_that_does_not_sign_is_nobody(till: SigningDevice):
    shown = {"Authorization": f"Bearer {till.token}"}

    answer = till.client.get("/v1/probes/till", headers=shown)

    assert status(answer) == REFUSED
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("name", ["Signature", "Signature-Input"])
def test_half_a_signature_is_none(till: SigningDevice, name: str):
    headers = till.headers(*GET)
    del headers[name]

    assert status(till.client.get("/v1/probes/till", headers=headers)) == REFUSED


def test_another_devices_signature_is_none(till: SigningDevice):
    key = DeviceKey()
    device_id, _ = device_token(public_key=key.public)
    key.device_id = str(device_id)
    elsewhere = SigningDevice(till.client, key, till.token)

    assert status(elsewhere.send(*GET)) == REFUSED
    key.device_id = till.device_id
    assert status(elsewhere.send(*GET)) == REFUSED


def test_a_signature_is_of_one_token(till: SigningDevice):
    other = shift_token(device_id=till.device_id, staff_id=staff(role="clerk").id)
    headers = till.headers(*GET) | {"Authorization": f"Bearer {other}"}

    assert status(till.client.get("/v1/probes/till", headers=headers)) == REFUSED


def test_a_signature_is_of_one_method_path_and_query(till: SigningDevice):
    signed = till.headers("GET", "/v1/probes/till?limit=1")

    for address in ("/v1/probes/till", "/v1/probes/till?limit=2", "/v1/probes/till?limit=1&a=b"):
        assert status(till.client.get(address, headers=signed)) == REFUSED
    head = till.client.head("/v1/probes/till", headers=till.headers(*GET))
    assert head.status_code == 401


def test_a_signature_is_of_one_body(till: SigningDevice):
    headers = till.headers(*POST, body=BODY)
    unsigned = till.headers(*POST)

    for body in (BODY.replace(b"Alice", b"Bob"), BODY + b" ", b"{}"):
        answer = till.client.post(POST[1], headers=headers, data=body, **JSON)
        assert status(answer) == REFUSED
    assert status(till.client.post(POST[1], headers=unsigned, data=BODY, **JSON)) == REFUSED
    assert till.client.post(POST[1], headers=headers, data=BODY, **JSON).status_code == 200


def test_a_body_that_was_taken_out_on_the_way_is_missed(till: SigningDevice):
    key = new_id().hex
    path = f"/v1/redemptions/{new_id()}/void"
    bare = till.headers("POST", path, key=key)
    stripped = till.headers("POST", path, key=key, body=b'{"reason": "Spilt."}')

    assert till.client.post(path, headers=bare).status_code == 404
    assert status(till.client.post(path, headers=stripped)) == REFUSED


def test_a_body_in_pieces_wants_its_digest_too(till: SigningDevice):
    pieces = {"environ_overrides": {"HTTP_TRANSFER_ENCODING": "chunked"}}

    assert status(till.client.get(GET[1], headers=till.headers(*GET), **pieces)) == REFUSED


@pytest.mark.parametrize(
    "digest",
    [
        "sha-256=:AAAA:",
        "sha-512=:" + "A" * 86 + "==:",
        "SHA-256=" + "A" * 43 + "=",
        "sha-256=:" + "A" * 43 + "=:, sha-256=:" + "A" * 43 + "=:",
        "",
    ],
)
def test_another_digest_than_the_profile_names_is_none(till: SigningDevice, digest: str):
    headers = till.headers(*POST, body=BODY) | {"Content-Digest": digest}

    assert status(till.client.post(POST[1], headers=headers, data=BODY, **JSON)) == REFUSED


def test_a_signature_is_of_one_idempotency_key(till: SigningDevice):
    key, other = new_id().hex, new_id().hex
    headers = till.headers(*POST, body=BODY, key=key)

    for changed in ({"Idempotency-Key": other}, {"Idempotency-Key": f'"{key}"'}):
        answer = till.client.post(POST[1], headers=headers | changed, data=BODY, **JSON)
        assert status(answer) == REFUSED
    del headers["Idempotency-Key"]
    assert status(till.client.post(POST[1], headers=headers, data=BODY, **JSON)) == REFUSED


def test_a_signature_is_good_for_a_minute_by_the_servers_clock(till: SigningDevice):
    now = clock.common()

    for seconds, served in ((-70, 401), (-50, 200), (5, 200), (20, 401)):
        created = int((now + timedelta(seconds=seconds)).timestamp())
        answer = till.client.get(GET[1], headers=till.headers(*GET, created=created))
        assert answer.status_code == served, seconds


def test_a_signature_may_come_again_within_its_minute(till: SigningDevice):
    headers = till.headers(*GET)

    assert [till.client.get(GET[1], headers=headers).status_code for _ in range(2)] == [200, 200]


@pytest.mark.parametrize(
    "change",
    [
        lambda asserted: asserted.replace("sig1=", "sig2="),
        lambda asserted: asserted + ", " + asserted.replace("sig1=", "sig2="),
        lambda asserted: asserted.replace(";alg=", ';nonce="a";alg='),
        lambda asserted: asserted.replace("ed25519", "rsa-v1_5-sha256"),
        lambda asserted: asserted.replace(';alg="ed25519"', ""),
        lambda asserted: asserted.replace('"@method" ', ""),
        lambda asserted: asserted.replace('"@method" "@path"', '"@path" "@method"'),
        lambda asserted: asserted.replace(' "authorization"', ""),
        lambda asserted: asserted.replace(")", ' "content-digest")'),
        lambda asserted: asserted.replace(")", ' "idempotency-key")'),
        lambda asserted: asserted.replace("created=", "created=9999999"),
        lambda asserted: asserted.replace("created=", "created=-"),
        lambda asserted: asserted.replace("created=1", "created=１"),
        lambda asserted: asserted.upper(),
        lambda _: "sig1=()",
        lambda _: "",
        lambda asserted: asserted + "é",
    ],
)
def test_parameters_are_written_as_the_profile_says(till: SigningDevice, change: Any):
    headers = till.headers(*GET)
    changed = change(headers["Signature-Input"]).encode().decode("latin-1")

    answer = till.client.get(GET[1], headers=headers | {"Signature-Input": changed})

    assert status(answer) == REFUSED


@pytest.mark.parametrize(
    "change",
    [
        lambda signature: signature.replace("sig1=", "sig2="),
        lambda signature: signature.replace(":", ""),
        lambda signature: signature[:-2] + ":",
        lambda signature: signature.replace("sig1=:", "sig1=:AAAA"),
        lambda _: "sig1=:" + "A" * 86 + "==:",
        lambda signature: f"{signature}, {signature}",
        lambda _: "",
        lambda signature: signature.replace("==", "=é"),
    ],
)
def test_a_signature_that_is_none_is_refused(till: SigningDevice, change: Any):
    headers = till.headers(*GET)
    changed = change(headers["Signature"]).encode().decode("latin-1")

    assert status(till.client.get(GET[1], headers=headers | {"Signature": changed})) == REFUSED


def test_a_device_of_before_there_were_keys_goes_on_by_its_token(probe: FlaskClient):
    device_id, token = device_token()
    of_shift = shift_token(device_id=device_id, staff_id=staff(role="clerk").id)

    for path, shown in (("device", token), ("till", of_shift)):
        headers = {"Authorization": f"Bearer {shown}"}
        assert probe.get(f"/v1/probes/{path}", headers=headers).status_code == 200


def test_a_device_signs_for_its_own_token_as_for_a_shifts(probe: FlaskClient):
    key = DeviceKey()
    device_id, token = device_token(public_key=key.public)
    key.device_id = str(device_id)
    device = SigningDevice(probe, key, token)

    for path in ("device", "till-or-device"):
        assert device.send("GET", f"/v1/probes/{path}").json["device_id"] == str(device_id)
        unsigned = probe.get(f"/v1/probes/{path}", headers={"Authorization": f"Bearer {token}"})
        assert status(unsigned) == REFUSED


def test_either_token_opens_what_is_for_tills_and_devices(till: SigningDevice):
    assert till.send("GET", "/v1/probes/till-or-device").json["device_id"] == till.device_id


AT_DEVICES = {
    f"{resource.name}.{route.name}"
    for resource in RESOURCES
    for route in resource.routes
    if {"till", "device"} & set(route.guard.schemes)
}


def test_every_route_of_devices_stands_in_a_profile_and_no_other_does():
    listed = frozenset().union(*MAY_CALL.values())

    assert {name for name in listed if not name.startswith("probes.")} == AT_DEVICES


@pytest.mark.parametrize("profile", ["till", "scanner", "screen"])
def test_a_profile_is_refused_all_that_it_does_not_list(probe: FlaskClient, profile: str):
    key = DeviceKey()
    device_id, token = device_token(public_key=key.public, profile=profile)
    key.device_id = str(device_id)
    clerk = staff(role="clerk")

    for target in TARGETS:
        schemes, listed = target.route.guard.schemes, f"{target.route.resource}.{target.route.name}"
        if not {"till", "device"} & set(schemes):
            continue
        of_shift = shift_token(device_id=device_id, staff_id=clerk.id)
        device = SigningDevice(probe, key, of_shift if "till" in schemes else token)
        address = target.path({name: str(new_id()) for name in target.route.path_names})
        query = f"?{urlencode(example(target.route.query))}" if target.route.query else ""

        answer = device.send(target.route.method, address + query, target.example, key=new_id().hex)

        assert answer.status_code != 401, target.label
        is_refused = status(answer) == (403, "forbidden")
        assert is_refused is (listed not in MAY_CALL[profile]), target.label
