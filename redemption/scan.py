"""What a till asks for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chain import Signed
from kernel.config import config
from kernel.hot import array
from redemption.code_policy import PHONE_IS_NEW
from redemption.reading import READS_ONE, READS_SEVERAL, Way
from redemption.token import Code


@dataclass(frozen=True, slots=True)
class Asked:
    """One drink of a scan, and how many cups of it."""

    product_id: UUID
    cups: int


@dataclass(frozen=True, slots=True)
class Scan:
    """Cups of a few drinks, for whoever shows this code. No drink comes twice.

    `top_up` is what the till collected for all of them besides, in minor units, VAT included. `key`
    and `fingerprint` make a retry of it recognisable, see `kernel.idempotency`; a dry run has none.
    `shown_at` is when by the clock that till and phone have, where the wallet's is another (in the
    sandbox). `signed` is what the device has signed of its request.
    """

    shift_digest: bytes
    code: str
    items: tuple[Asked, ...]
    key: str = ""
    fingerprint: bytes = b""
    top_up: int = 0
    shown_at: datetime | None = None
    signed: Signed | None = None

    @property
    def cups(self) -> int:
        """All of them."""
        return sum(one.cups for one in self.items)

    def common_at(self, now: datetime) -> datetime:
        return self.shown_at or now


def statement(scan: Scan, code: Code | None) -> str:
    """Which reading a scan takes."""
    reads = READS_ONE if len(scan.items) == 1 else READS_SEVERAL
    return reads[_way(code)]


def question(scan: Scan, code: Code | None, now: datetime) -> dict[str, Any]:
    """What is read for a scan."""
    common_at = scan.common_at(now)
    asked = {
        **whose(code),
        "step": code.step_used if code else None,
        "shift_digest": scan.shift_digest,
        "key": scan.key,
        "now": now,
        "common_at": common_at,
        "new_since": common_at - PHONE_IS_NEW,
    }
    if len(scan.items) == 1:
        return {**asked, "product_id": scan.items[0].product_id}
    return {**asked, "product_ids": array(one.product_id for one in scan.items)}


def whose(code: Code | None) -> dict[str, bytes | None]:
    """What a code is looked up by. What is not genuine is nobody's."""
    return {"credential_id": code.credential_id if code and code.is_genuine else None}


def _way(code: Code | None) -> Way:
    if code is None or code.kind == "code":
        return "plain"
    if code.kind == "phone":
        return "new_phone" if config().new_device_cups else "plain"
    return code.kind
