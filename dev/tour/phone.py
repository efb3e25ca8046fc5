"""A shopper's phone: it makes QR codes by itself, also without a network.

    version 1 byte | credential 8 | step 4 (big-endian) | MAC 15     = 28 bytes, in Base45

The MAC is HMAC-SHA256 over the first 13 bytes under the credential's seed, cut to 15 bytes; a
step is 15 s of Unix time. Written anew from that description, as an app's authors would. What it
shows of a capsule is made by the example that they may copy.
"""

import hmac
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import base45

from examples.qr import phone as example

_VERSION = 1
_MAC_BYTES = 15


class Phone:
    """What a phone keeps of a credential. Its clock is set by the server's when it gets one."""

    def __init__(self, credential: Mapping[str, Any]) -> None:
        self._id = bytes.fromhex(credential["id"])
        self._seed = bytes.fromhex(credential["seed"])
        self._step_seconds: int = credential["step_seconds"]
        issued_at = datetime.fromisoformat(credential["issued_at"]).timestamp()
        self._ahead = issued_at - time.monotonic()

    @property
    def credential_id(self) -> str:
        """By which its owner names it."""
        return self._id.hex()

    def code(self) -> str:
        """The text of the QR that it shows now."""
        signed = bytes([_VERSION]) + self._id + self._step().to_bytes(4, "big")
        mac = hmac.digest(self._seed, signed, "sha256")[:_MAC_BYTES]
        return base45.b45encode(signed + mac).decode("ascii")

    def shown(self, capsule: Mapping[str, Any]) -> str:
        """The text of the QR that shows a capsule now, which needs no network either."""
        sealed, seed = example.unpadded(capsule["capsule"]), bytes.fromhex(capsule["seed"])
        return example.shown_capsule(sealed, seed, self._step())

    def _step(self) -> int:
        return int(time.monotonic() + self._ahead) // self._step_seconds
