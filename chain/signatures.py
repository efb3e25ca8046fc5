"""What a device signs of each request, and whether it did: RFC 9421 in one fixed profile.

Pure: texts and keys in, a verdict out. `api/signing.py` reads them off HTTP; `docs/devices.md` is
for those who write a device's software.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from uuid import UUID

from chain.policy import MAY_CALL
from kernel.errors import Forbidden, Unauthenticated

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LATEST = timedelta(seconds=60)
EARLIEST = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Message:
    """The parts of a request that are covered. `digest` comes with a body, `key` where one is sent.

    All as they are sent; `query` is without its question mark, `digest` and `key` are the values
    of the headers Content-Digest (RFC 9530) and Idempotency-Key.
    """

    method: str
    path: str
    query: str
    authorization: str
    digest: str | None = None
    key: str | None = None

    @property
    def components(self) -> str:
        """What is covered, in the one order that is accepted."""
        names = '"@method" "@path" "@query" "authorization"'
        if self.digest is not None:
            names += ' "content-digest"'
        return names if self.key is None else names + ' "idempotency-key"'

    def text(self, parameters: str) -> bytes:
        """The signature base: what is signed, under parameters as `parameters_of` writes them."""
        lines = (
            f'"@method": {self.method}\n"@path": {self.path}\n"@query": ?{self.query}\n'
            f'"authorization": {self.authorization}\n'
        )
        if self.digest is not None:
            lines += f'"content-digest": {self.digest}\n'
        if self.key is not None:
            lines += f'"idempotency-key": {self.key}\n'
        return f'{lines}"@signature-params": {parameters}'.encode("latin-1")


@dataclass(frozen=True, slots=True)
class Signed:
    """A request of a device as it came: which route it asks for, and what was signed by whom.

    `device_id` is who says to have signed, None where nobody does. Whether it is true, only
    `check_signed` finds out, with the key of the device that the token names.
    """

    route: str
    device_id: UUID | None = None
    text: bytes = b""
    signature: bytes = b""


def parameters_of(message: Message, *, device_id: UUID, created: int) -> str:
    """Write the signature's parameters; `created` is in seconds of Unix time."""
    return f'({message.components});created={created};keyid="{device_id}";alg="ed25519"'


def is_fresh(created: int, *, now: datetime) -> bool:
    """Whether a signature is of now, by a clock that may run a little fast."""
    since = now.timestamp() - created
    return -EARLIEST.total_seconds() <= since <= LATEST.total_seconds()


def check_signed(
    signed: Signed | None, *, device_id: UUID, public_key: bytes | None, profile: str
) -> None:
    """Let a device's request pass that it signed, and that its profile may make.

    A device that was enrolled before there were keys has none and need not sign. `signed` is None
    where nothing came over HTTP: that is enough only for such a device.

    Raises:
        Unauthenticated: it was not signed, or by somebody else. Which of these is not told.
        Forbidden: devices of this profile may not call this route.
    """
    if public_key is not None and not _is_by(signed, device_id, public_key):
        raise Unauthenticated
    if signed is not None and signed.route not in MAY_CALL.get(profile, ()):
        raise Forbidden


def is_signature(signature: bytes, *, of: bytes, by: bytes) -> bool:
    """Whether an Ed25519 signature of a text was made with the other half of a public key."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  see `_known`

    try:
        _known(by).verify(signature, of)
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=4_096)
def _known(public_key: bytes) -> "Ed25519PublicKey":
    """A key, read once: of each till come many requests."""
    # Where it is used: it brings OpenSSL along, 6 MB that most workers never need.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PublicKey,
    )

    return Ed25519PublicKey.from_public_bytes(public_key)


def _is_by(signed: Signed | None, device_id: UUID, public_key: bytes) -> bool:
    if signed is None or signed.device_id != device_id:
        return False
    return _is_signed(signed.text, signed.signature, public_key)


@lru_cache(maxsize=128)
def _is_signed(text: bytes, signature: bytes, public_key: bytes) -> bool:
    """Remembered a while: a scan that others were faster than is decided, and so asked, anew."""
    return is_signature(signature, of=text, by=public_key)
