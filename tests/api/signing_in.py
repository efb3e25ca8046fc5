"""Short ways to be somebody, over HTTP."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from dev.device_key import DeviceKey
from kernel import clock
from members.policy import code_of
from tests.service.chain.staffing import PASSWORD, PIN, TOTP
from tests.signing import SigningDevice

PHONE = "0912345678"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def challenge(client: FlaskClient, phone: str = PHONE) -> str:
    """Ask for a code; answer the challenge's id."""
    asked = client.post("/v1/sign-in/challenges", json={"phone": phone})
    assert asked.status_code == 201, asked.json
    return str(asked.json["challenge_id"])


def session(client: FlaskClient, *, transport: str = "bearer", phone: str = PHONE) -> Any:
    """Sign a shopper in; answer the response."""
    challenge_id = challenge(client, phone)
    code = code_of(UUID(challenge_id))
    return client.post(
        "/v1/sessions",
        json={"challenge_id": challenge_id, "code": code, "transport": transport},
    )


def desk(client: FlaskClient, number: str) -> dict[str, str]:
    """Sign somebody in at a desk; answer the headers."""
    proofs = {"staff_number": number, "password": PASSWORD, "totp": TOTP.at(clock.now())}
    started = client.post("/v1/office-sessions", json=proofs)
    assert started.status_code == 201, started.json
    return bearer(started.json["token"])


def enrolled(
    client: FlaskClient, admin: dict[str, str], store_id: UUID, **about: str
) -> SigningDevice:
    """Enrol a device."""
    body = {"store_id": str(store_id), "name": "Till", **about}
    made = client.post("/v1/devices", json=body, headers=admin)
    return trade(client, made.json["code"])


def trade(client: FlaskClient, code: str) -> SigningDevice:
    """Trade a code for a token, with a fresh key."""
    key = DeviceKey()
    got = client.post("/v1/devices/enrol", json={"code": code, "public_key": key.public_text})
    assert got.status_code == 201, got.json
    key.device_id = got.json["device_id"]
    return SigningDevice(client, key, got.json["token"])


def shift(device: SigningDevice, number: str, pin: str = PIN) -> Any:
    """Begin a shift at a device; answer the response."""
    return device.send("POST", "/v1/shifts", {"staff_number": number, "pin": pin})


class MovableClock:
    """The clock of the checkout, which this test may move forward."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CLOCK_FILE", str(folder / "clock"))
        (folder / "clock").write_text("0\n")

    def advance(self, **by: float) -> None:
        clock.advance(timedelta(**by))
