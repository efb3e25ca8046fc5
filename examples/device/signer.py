"""How a till, scanner or screen signs its requests: docs/devices.md in Python.

Needs `pip install cryptography`, and nothing of Jibei. Sign with the server's clock: keep how far
it is from yours, from `now` of the enrolment and of each heartbeat.
"""

import hashlib
import time
from base64 import b64encode, urlsafe_b64encode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def new_key() -> Ed25519PrivateKey:
    """Make the device's own key. It never leaves the device."""
    return Ed25519PrivateKey.generate()


def public_key_of(key: Ed25519PrivateKey) -> str:
    """What is told at enrolment as `public_key`: 43 characters."""
    return urlsafe_b64encode(key.public_key().public_bytes_raw()).rstrip(b"=").decode()


def sign(
    key: Ed25519PrivateKey,
    *,
    device_id: str,
    method: str,
    path: str,
    query: str = "",
    authorization: str,
    body: bytes = b"",
    idempotency_key: str | None = None,
    created: int | None = None,
) -> dict[str, str]:
    """The headers to send along. `query` comes without its question mark, `created` is Unix time.

    `authorization` and `idempotency_key` are the values of those headers, exactly as they are sent.
    """
    headers = {}
    covered = [
        ("@method", method),
        ("@path", path),
        ("@query", f"?{query}"),
        ("authorization", authorization),
    ]
    if body:
        digest = b64encode(hashlib.sha256(body).digest()).decode()
        headers["Content-Digest"] = f"sha-256=:{digest}:"
        covered.append(("content-digest", headers["Content-Digest"]))
    if idempotency_key is not None:
        covered.append(("idempotency-key", idempotency_key))

    names = " ".join(f'"{name}"' for name, _ in covered)
    at = int(time.time()) if created is None else created
    parameters = f'({names});created={at};keyid="{device_id}";alg="ed25519"'
    covered_lines = "".join(f'"{name}": {value}\n' for name, value in covered)
    base = f'{covered_lines}"@signature-params": {parameters}'

    signature = b64encode(key.sign(base.encode("ascii"))).decode()
    headers["Signature-Input"] = f"sig1={parameters}"
    headers["Signature"] = f"sig1=:{signature}:"
    return headers
