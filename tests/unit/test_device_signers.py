"""The signers that device makers may copy make what the documents show and the server takes."""

import json
import shutil
import subprocess
from base64 import b64decode, urlsafe_b64decode
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.signing import digest_of
from chain import Message, Signed, check_signed
from dev.device_key import DeviceKey
from examples.device import signer

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "device"
KNOWN = json.loads((FOLDER / "vectors.json").read_text(encoding="utf-8"))
VECTORS = KNOWN["vectors"]
KEY = Ed25519PrivateKey.from_private_bytes(urlsafe_b64decode(KNOWN["private_key"] + "="))

IN_JAVASCRIPT = """
import { readFileSync } from "node:fs";
import { sign } from "./signer.mjs";
const known = JSON.parse(readFileSync("vectors.json"));
const jwk = { kty: "OKP", crv: "Ed25519", d: known.private_key, x: known.public_key };
const key = await crypto.subtle.importKey("jwk", jwk, "Ed25519", false, ["sign"]);
const all = known.vectors.map(({ request }) => sign(key, {
  ...request, deviceId: known.device_id, idempotencyKey: request.idempotency_key ?? undefined,
}));
console.log(JSON.stringify(await Promise.all(all)));
"""


def in_python() -> list[dict[str, str]]:
    return [
        signer.sign(KEY, device_id=KNOWN["device_id"], **asked | {"body": asked["body"].encode()})
        for asked in (one["request"] for one in VECTORS)
    ]


def in_javascript() -> list[dict[str, str]]:
    run = [NODE, "--no-warnings", "--input-type=module", "--eval", IN_JAVASCRIPT]
    done = subprocess.run(run, cwd=FOLDER, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def of_the_tour() -> list[dict[str, str]]:
    key = DeviceKey(urlsafe_b64decode(KNOWN["private_key"] + "="))
    key.device_id = KNOWN["device_id"]
    assert key.public_text == KNOWN["public_key"]
    return [
        key.signed(
            asked["method"],
            f"{asked['path']}?{asked['query']}",
            authorization=asked["authorization"],
            key=asked["idempotency_key"],
            body=asked["body"].encode(),
            created=asked["created"],
        )
        for asked in (one["request"] for one in VECTORS)
    ]


NODE = shutil.which("node")
SIGNERS = [in_python, of_the_tour, *([in_javascript] if NODE else [])]


@pytest.mark.parametrize("signed", SIGNERS)
def test_a_signer_makes_the_headers_of_the_vectors(signed):
    assert signed() == [one["headers"] for one in VECTORS]


@pytest.mark.parametrize("vector", VECTORS)
def test_the_server_takes_what_the_vectors_show(vector):
    asked, headers = vector["request"], vector["headers"]
    body = asked["body"].encode()
    message = Message(
        method=asked["method"],
        path=asked["path"],
        query=asked["query"],
        authorization=asked["authorization"],
        digest=digest_of(body) if body else None,
        key=asked["idempotency_key"],
    )
    text = message.text(headers["Signature-Input"].removeprefix("sig1="))
    made = b64decode(headers["Signature"].removeprefix("sig1=:").removesuffix(":"))
    device_id = UUID(KNOWN["device_id"])

    check_signed(
        Signed("redemptions.redeem", device_id, text, made),
        device_id=device_id,
        public_key=urlsafe_b64decode(KNOWN["public_key"] + "="),
        profile="till",
    )
    assert headers.get("Content-Digest") == message.digest


def test_a_key_is_told_as_the_enrolment_wants_it():
    assert signer.public_key_of(KEY) == KNOWN["public_key"]
    assert len(signer.public_key_of(signer.new_key())) == 43


def test_the_document_shows_a_vector_as_it_is():
    text = (ROOT / "docs" / "devices.md").read_text(encoding="utf-8")
    shown = next(one for one in VECTORS if one["request"]["body"])

    assert KNOWN["private_key"] in text
    assert KNOWN["public_key"] in text
    assert shown["request"]["body"] in text
    for name, value in shown["headers"].items():
        assert f"{name}: {value}" in text
