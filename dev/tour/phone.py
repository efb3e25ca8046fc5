"""A shopper's phone: it makes QR codes by itself, also without a network.

By the example that an app's authors may copy (docs/qr.md).
"""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from examples.qr import phone as example


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
        return example.code_of(self._id, self._seed, self._step())

    def shown(self, capsule: Mapping[str, Any]) -> str:
        """The text of the QR that shows a capsule now, which needs no network either."""
        sealed, seed = example.unpadded(capsule["capsule"]), bytes.fromhex(capsule["seed"])
        return example.shown_capsule(sealed, seed, self._step())

    def _step(self) -> int:
        return int(time.monotonic() + self._ahead) // self._step_seconds
