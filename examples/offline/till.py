"""A till without a network: what it checks before it serves, and the log that it keeps.

Written from docs/offline.md, without anything of the server, for whoever makes a till. Wants the
packages `cryptography` and `base45`.
"""

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from base45 import b45decode
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

AT_MOST = timedelta(hours=4)
MOST_CUPS = 50
STEP_S = 15
OLDEST, NEWEST = -3, 1
FIRST = "0" * 64

_VERSION = 3
_SIZE = 93


class NoCups(Exception):  # noqa: N818  an answer to the shopper, not a malfunction
    """The till does not serve. Says why."""


@dataclass(frozen=True)
class Capsule:
    """What a phone shows, taken apart."""

    key_id: int
    serial: bytes
    cups: int
    store_group: int
    ends_at: int
    step: int
    signed: bytes
    signature: bytes


def read_capsule(shown: str) -> Capsule:
    """Take apart what was scanned.

    Raises:
        NoCups: it is no capsule.
    """
    try:
        raw = b45decode(shown)
    except ValueError:
        raise NoCups("not a code of ours") from None
    if len(raw) != _SIZE or raw[0] != _VERSION:
        raise NoCups("not a capsule")
    return Capsule(
        key_id=raw[1],
        serial=raw[2:10],
        cups=raw[10],
        store_group=int.from_bytes(raw[11:13], "big"),
        ends_at=int.from_bytes(raw[13:17], "big"),
        step=int.from_bytes(raw[81:85], "big"),
        signed=raw[:17],
        signature=raw[17:81],
    )


@dataclass
class Log:
    """The till's log: counted, chained, signed. Kept on disk, a line at a time, before serving.

    After its disk was lost or restored, `number` and `last_hash` are those of a heartbeat's `log`.
    """

    device_id: str
    key: Ed25519PrivateKey
    number: int = 0
    last_hash: str = FIRST
    lines: list[dict[str, str]] = field(default_factory=list)

    def write(
        self, *, capsule: str, cups: int, product: str, staff: str, at: datetime
    ) -> dict[str, str]:
        """Write one item down, and answer it as it is uploaded."""
        item = {
            "v": 1,
            "device": self.device_id,
            "number": self.number + 1,
            "previous": self.last_hash,
            "capsule": capsule,
            "product": product,
            "cups": cups,
            "staff": staff,
            "at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "top_up": 0,
        }
        text = json.dumps(item, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(text.encode()).digest()
        signature = urlsafe_b64encode(self.key.sign(digest)).rstrip(b"=").decode()
        line = {"item": text, "signature": signature}
        self.number, self.last_hash = self.number + 1, digest.hex()
        self.lines.append(line)
        return line


@dataclass
class Till:
    """A till that has lost its network. What it knows is from before that.

    `keys` are the chain's public keys by id, `revoked` the serials of its last list. `served` are
    the cups that each serial has got here: kept on disk until the capsule ends, also when the till
    has been online meanwhile.
    """

    log: Log
    store_group: int
    keys: Mapping[int, bytes]
    revoked: Collection[bytes] = ()
    offline_since: datetime | None = None
    cups: int = 0
    served: dict[bytes, int] = field(default_factory=dict)

    def serve(
        self, shown: str, *, cups: int, product: str, staff: str, at: datetime
    ) -> dict[str, str]:
        """Check everything that can be checked here; then write it down, then serve.

        Raises:
            NoCups: the till must not.
        """
        capsule = read_capsule(shown)
        self._check_bounds(cups, at)
        self._check_signature(capsule)
        self._check_capsule(capsule, cups, at)
        line = self.log.write(capsule=shown, cups=cups, product=product, staff=staff, at=at)
        self.served[capsule.serial] = self.served.get(capsule.serial, 0) + cups
        self.cups += cups
        self.offline_since = self.offline_since or at
        return line

    def back_online(self) -> None:
        """The log was uploaded, and new lists were fetched: bounds count from nothing again."""
        self.offline_since, self.cups = None, 0

    def _check_bounds(self, cups: int, at: datetime) -> None:
        if self.offline_since is not None and at - self.offline_since >= AT_MOST:
            raise NoCups("offline for too long")
        if self.cups + cups > MOST_CUPS:
            raise NoCups("too many cups offline")

    def _check_signature(self, capsule: Capsule) -> None:
        key = self.keys.get(capsule.key_id)
        if key is None:
            raise NoCups("not a capsule of the chain")
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(capsule.signature, capsule.signed)
        except InvalidSignature:
            raise NoCups("not a capsule of the chain") from None

    def _check_capsule(self, capsule: Capsule, cups: int, at: datetime) -> None:
        age = capsule.step - int(at.timestamp()) // STEP_S
        checks = {
            "the code is old": not OLDEST <= age <= NEWEST,
            "the capsule is over": capsule.ends_at <= at.timestamp(),
            "the capsule is for other stores": capsule.store_group != self.store_group,
            "the capsule was revoked": capsule.serial in self.revoked,
            "the capsule is for fewer cups": self.served.get(capsule.serial, 0) + cups
            > capsule.cups,
        }
        for why, is_so in checks.items():
            if is_so:
                raise NoCups(why)
