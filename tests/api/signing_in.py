"""Short ways to be somebody, over HTTP."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from kernel import clock
from members.policy import code_of
from tests.service.chain.staffing import PASSWORD, PIN, TOTP

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


def enrolled(client: FlaskClient, admin: dict[str, str], store_id: UUID) -> tuple[str, str]:
    """Enrol a device; answer its id and token."""
    body = {"store_id": str(store_id), "name": "Till"}
    made = client.post("/v1/devices", json=body, headers=admin)
    got = client.post("/v1/devices/enrol", json={"code": made.json["code"]})
    assert got.status_code == 201, got.json
    return got.json["device_id"], got.json["token"]


def shift(client: FlaskClient, device_token: str, number: str, pin: str = PIN) -> Any:
    """Begin a shift at a device; answer the response."""
    body = {"staff_number": number, "pin": pin}
    return client.post("/v1/shifts", json=body, headers=bearer(device_token))


class MovableClock:
    """The clock of the checkout, which this test may move forward."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CLOCK_FILE", str(folder / "clock"))
        (folder / "clock").write_text("0\n")

    def advance(self, **by: float) -> None:
        clock.advance(timedelta(**by))
