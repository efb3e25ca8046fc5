"""Signatures of devices, as they stand in a request (RFC 9421, Content-Digest of RFC 9530).

    Content-Digest: sha-256=:…:
    Signature-Input: sig1=("@method" "@path" "@query" "authorization" "content-digest"
        "idempotency-key");created=1768363200;keyid="…";alg="ed25519"
    Signature: sig1=:…:

One profile, written in one way, so that there is nothing to choose and little to parse. What is
covered is what the server acts on: the path by which it routes, the headers that it reads. A signed
request that somebody repeats within its minute does no harm: what moves anything has its
Idempotency-Key covered, so a repetition is a retry.
"""

import hashlib
import re
from base64 import b64decode, b64encode
from uuid import UUID

from flask import request
from flask.globals import request_ctx

from chain import Message, Signed, is_fresh
from kernel import clock
from kernel.errors import Unauthenticated

_INPUT = re.compile(
    r"sig1=(?P<parameters>\((?P<components>[^()]*)\);created=(?P<created>[0-9]{1,12});"
    r'keyid="(?P<device_id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})";alg="ed25519")'
)
_SIGNATURE = re.compile(r"sig1=:([A-Za-z0-9+/]{86}==):")
_DIGEST = re.compile(r"sha-256=:[A-Za-z0-9+/]{43}=:")
_NOTHING = ("", "0")
_TO_COMPARE = "jibei.content_digest"


def presented() -> Signed:
    """Read who says to have signed this request; nobody, where it has no signature.

    Raises:
        Unauthenticated: there is one that is not as the profile says, or not of now.
    """
    environ = request.environ
    route = request.endpoint or ""
    asserted, signature = environ.get("HTTP_SIGNATURE_INPUT"), environ.get("HTTP_SIGNATURE")
    if asserted is None and signature is None:
        return Signed(route)
    found, value = _INPUT.fullmatch(asserted or ""), _SIGNATURE.fullmatch(signature or "")
    message = _message(environ)
    if found is None or value is None or found["components"] != message.components:
        raise Unauthenticated
    if not is_fresh(int(found["created"]), now=clock.common()):
        raise Unauthenticated
    environ[_TO_COMPARE] = message.digest
    text = message.text(found["parameters"])
    return Signed(route, UUID(found["device_id"]), text, b64decode(value[1]))


def refuse_other_body(raw: bytes) -> None:
    """Refuse a body that is not the one whose digest was signed.

    Raises:
        Unauthenticated: it is another.
    """
    signed = request_ctx.request.environ.get(_TO_COMPARE)
    if signed is not None and signed != digest_of(raw):
        raise Unauthenticated


def digest_of(raw: bytes) -> str:
    """The value of the header Content-Digest for a body."""
    return f"sha-256=:{b64encode(hashlib.sha256(raw).digest()).decode('ascii')}:"


def _message(environ: dict[str, str]) -> Message:
    """What a signature must cover here.

    Path and query are those by which the request is routed and read, whatever else it was sent as.
    """
    digest, key = environ.get("HTTP_CONTENT_DIGEST"), environ.get("HTTP_IDEMPOTENCY_KEY")
    has_body = (
        environ.get("CONTENT_LENGTH", "") not in _NOTHING or "HTTP_TRANSFER_ENCODING" in environ
    )
    if has_body is (digest is None) or (has_body and not _DIGEST.fullmatch(digest or "")):
        raise Unauthenticated  # without a body there is nothing to hold a digest against
    return Message(
        method=environ["REQUEST_METHOD"],
        path=environ["PATH_INFO"],
        query=environ["QUERY_STRING"],
        authorization=environ.get("HTTP_AUTHORIZATION", ""),
        digest=digest,
        key=None if key is None else key.strip(" \t"),
    )
