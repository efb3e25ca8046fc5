"""What a till writes down when it serves without a network: counted, chained, signed. Pure.

    {"at":"2026-01-14T04:00:00Z","capsule":"…","cups":1,"device":"…","number":7,"previous":"…",
     "product":"…","staff":"…","top_up":0,"v":1}

One item a line, canonical JSON: names sorted, no spaces. Its hash is the SHA-256 of this text as it
stands; `previous` is the hash of the item before, in hex, and 64 zeros in the first. The device
signs the hash (Ed25519). `docs/offline.md` tells it to who writes a till.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

VERSION = 1
FIRST = bytes(32)
"""What the first item names as the one before."""
MOST_CUPS = 100
MOST_TEXT = 1_000

_MOST_NUMBER = 2**53 - 1
"""The largest that every reader of JSON holds exactly."""
_MOST_TOP_UP = 10_000_000
_NAMES = {"device", "number", "previous", "capsule", "product", "cups", "staff", "at", "top_up"}
"""Of an item, beside `v`."""
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HASH = re.compile(r"[0-9a-f]{64}")
_MOMENT = re.compile(r"(19[7-9][0-9]|2[0-9]{3})-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)


class NotAnItem(ValueError):  # noqa: N818  says what it is
    """A text that is no item of a log. Says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Item:
    """Cups that a till says to have served, at `at` by its own clock."""

    device_id: UUID
    number: int
    previous_hash: bytes
    capsule: str
    product_id: UUID
    cups: int
    staff_id: UUID
    at: datetime
    top_up: int
    hash: bytes
    text: str


def write(
    *,
    device_id: UUID,
    number: int,
    previous_hash: bytes,
    capsule: str,
    product_id: UUID,
    cups: int,
    staff_id: UUID,
    at: datetime,
    top_up: int = 0,
) -> str:
    """Write an item as a till does."""
    said = {
        "v": VERSION,
        "device": str(device_id),
        "number": number,
        "previous": previous_hash.hex(),
        "capsule": capsule,
        "product": str(product_id),
        "cups": cups,
        "staff": str(staff_id),
        "at": at.isoformat().replace("+00:00", "Z"),
        "top_up": top_up,
    }
    return json.dumps(said, sort_keys=True, separators=(",", ":"))


def hash_of(text: str) -> bytes:
    """The hash of an item, over its text as it stands."""
    return hashlib.sha256(text.encode()).digest()


def read(text: str) -> Item:
    """Read an item. How it is spaced and ordered does not matter, since it was signed as it stands.

    Raises:
        NotAnItem: it is something else.
    """
    if len(text) > MOST_TEXT:
        raise NotAnItem("is too long")
    said = _object(text)
    if said.pop("v", None) != VERSION:
        raise NotAnItem("is of no known version")
    if said.keys() != _NAMES:
        raise NotAnItem("has other names than an item")
    return Item(
        device_id=_uuid(said["device"]),
        number=_whole(said["number"], least=1, most=_MOST_NUMBER),
        previous_hash=bytes.fromhex(_text(said["previous"], _HASH)),
        capsule=_text(said["capsule"]),
        product_id=_uuid(said["product"]),
        cups=_whole(said["cups"], least=1, most=MOST_CUPS),
        staff_id=_uuid(said["staff"]),
        at=_moment(said["at"]),
        top_up=_whole(said["top_up"], least=0, most=_MOST_TOP_UP),
        hash=hash_of(text),
        text=text,
    )


def _object(text: str) -> dict[str, Any]:
    try:
        said = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as problem:
        raise NotAnItem("is not JSON") from problem
    if type(said) is not dict:
        raise NotAnItem("is not an object")
    return said


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    if len(said) != len(pairs):
        raise ValueError("a name is given twice")
    return said


def _text(value: Any, form: re.Pattern[str] | None = None) -> str:
    if type(value) is not str or (form is not None and not form.fullmatch(value)):
        raise NotAnItem("has a value of another form")
    return value


def _uuid(value: Any) -> UUID:
    return UUID(_text(value, _UUID))


def _whole(value: Any, *, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise NotAnItem("has a number out of bounds")
    return value


def _moment(value: Any) -> datetime:
    try:
        return datetime.fromisoformat(_text(value, _MOMENT))
    except ValueError as problem:
        raise NotAnItem("has no moment in UTC") from problem
