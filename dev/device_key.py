"""A device's key, and what it signs: for the tour, the bench and the tests, which act as devices.

Written anew from docs/devices.md, as the makers of a till would.
"""

import hashlib
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kernel import clock


class DeviceKey:
    """An Ed25519 key, and the id of the device that signs by it, once it is enrolled."""

    def __init__(self, seed: bytes | None = None) -> None:
        made = Ed25519PrivateKey.generate()
        self._key = made if seed is None else Ed25519PrivateKey.from_private_bytes(seed)
        self.device_id = ""

    @property
    def public(self) -> bytes:
        """The public half, 32 bytes."""
        return self._key.public_key().public_bytes_raw()

    @property
    def public_text(self) -> str:
        """The public half, as it is told at enrolment."""
        return urlsafe_b64encode(self.public).rstrip(b"=").decode("ascii")

    def signed(
        self,
        method: str,
        address: str,
        *,
        authorization: str,
        key: str | None = None,
        body: bytes = b"",
        created: int | None = None,
    ) -> dict[str, str]:
        """The headers that sign a request: `address` is path and query, `key` its Idempotency-Key.

        `created` is in seconds of Unix time; now, if not given.
        """
        parts = urlsplit(address)
        covered = {
            "@method": method,
            "@path": parts.path,
            "@query": f"?{parts.query}",
            "authorization": authorization,
        }
        headers = {}
        if body:
            digest = b64encode(hashlib.sha256(body).digest()).decode("ascii")
            covered["content-digest"] = headers["Content-Digest"] = f"sha-256=:{digest}:"
        if key is not None:
            covered["idempotency-key"] = key
        names = " ".join(f'"{name}"' for name in covered)
        at = int(clock.common().timestamp()) if created is None else created
        parameters = f'({names});created={at};keyid="{self.device_id}";alg="ed25519"'
        lines = [f'"{name}": {value}' for name, value in covered.items()]
        base = "\n".join([*lines, f'"@signature-params": {parameters}'])
        signature = b64encode(self._key.sign(base.encode("latin-1"))).decode("ascii")
        return {
            **headers,
            "Signature-Input": f"sig1={parameters}",
            "Signature": f"sig1=:{signature}:",
        }
