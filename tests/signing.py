"""A device over HTTP: every request that it sends is signed by its key."""

import json
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dev.device_key import DeviceKey

Headers = dict[str, str]


class SigningDevice:
    """An enrolled device, which shows its own token or a shift's."""

    def __init__(self, client: FlaskClient, key: DeviceKey, token: str) -> None:
        self.client = client
        self.key = key
        self.token = token

    @property
    def device_id(self) -> str:
        return self.key.device_id

    def at_work(self, shift_token: str) -> "SigningDevice":
        """The same device, with somebody's shift."""
        return SigningDevice(self.client, self.key, shift_token)

    def headers(
        self,
        method: str,
        address: str,
        *,
        body: bytes = b"",
        key: str | None = None,
        created: int | None = None,
    ) -> Headers:
        """What it sends beside the body, signature and all."""
        shown = f"Bearer {self.token}"
        signed = self.key.signed(
            method, address, authorization=shown, key=key, body=body, created=created
        )
        named = {} if key is None else {"Idempotency-Key": key}
        return {"Authorization": shown, **named, **signed}

    def send(
        self, method: str, address: str, body: Any = None, *, key: str | None = None
    ) -> TestResponse:
        """Send a request as it should be."""
        raw = b"" if body is None else json.dumps(body).encode()
        headers = self.headers(method, address, body=raw, key=key)
        kind = None if body is None else "application/json"
        return self.client.open(
            address, method=method, headers=headers, data=raw or None, content_type=kind
        )
