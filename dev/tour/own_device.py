"""A scanner that keeps a key of its own, made by the examples that makers of devices copy."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from dev.tour.party import Till
from examples.device import signer
from examples.offline.till import Till as OfflineTill


class OwnKey:
    """A device's key. It dates what it signs by the server's time, as it was told it."""

    def __init__(self) -> None:
        self.private = signer.new_key()
        self.device_id = ""
        self.ahead = 0.0

    @property
    def public(self) -> str:
        """The half that is told at enrolment."""
        return signer.public_key_of(self.private)

    def set_clock(self, told: str) -> None:
        """Keep how far the server's clock is from this device's own."""
        self.ahead = datetime.fromisoformat(told).timestamp() - time.monotonic()

    def now(self) -> datetime:
        """The server's time, as far as the device knows."""
        return datetime.fromtimestamp(time.monotonic() + self.ahead, UTC)

    def signed(
        self,
        method: str,
        address: str,
        *,
        authorization: str,
        key: str | None = None,
        body: bytes = b"",
    ) -> dict[str, str]:
        """The headers that sign a request: `address` is path and query, `key` its own key."""
        parts = urlsplit(address)
        return signer.sign(
            self.private,
            device_id=self.device_id,
            method=method,
            path=parts.path,
            query=parts.query,
            authorization=authorization,
            body=body,
            idempotency_key=key,
            created=int(self.now().timestamp()),
        )


@dataclass
class OwnDevice:
    """An enrolled scanner, with somebody at work. `offline` is what it does without a network."""

    key: OwnKey
    token: str
    till: Till
    staff_id: str
    offline: OfflineTill
