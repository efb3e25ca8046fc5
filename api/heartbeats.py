"""Devices that say they are there."""

from datetime import datetime, timedelta
from typing import Any

from marshmallow import fields, validate

import chain
from api.auth import DeviceCaller, device
from api.device_fields import SoftwareVersion
from api.fields import Flag, Integer, Schema, Text, Timestamp
from api.routing import Resource
from api.versions import versions
from chain.models import DEVICE_PROFILES
from kernel import clock
from kernel.config import config
from redemption.offline.heads import Head, find_head, is_here

heartbeats = Resource(
    "heartbeats", "/v1/devices/current", "Heartbeats: a device that says it is there."
)

_MILLISECOND = timedelta(milliseconds=1)


class LogHead(Schema):
    """The last item of what a device served without a network (docs/offline.md)."""

    number = Integer(required=True, least=1, metadata={"description": "Counted from 1."})
    hash = Text(
        required=True,
        most=64,
        validate=validate.Regexp(r"^[0-9a-f]{64}(?!\n)$"),
        metadata={"description": "SHA-256 in hex.", "example": "5e" * 32},
    )


class HeartbeatBody(Schema):
    """What a device tells of itself."""

    software_version = SoftwareVersion(
        load_default=None, metadata={"description": "What runs on it.", "example": "2.1.0"}
    )
    clock = Timestamp(
        load_default=None, metadata={"description": "What its clock shows at sending."}
    )
    log = fields.Nested(
        LogHead,
        load_default=None,
        allow_none=True,
        metadata={"description": "The last item of its offline log, if it has any."},
    )


class VersionsView(Schema):
    """Which versions of things there are: a device fetches anew what it has in another."""

    products = Text(required=True, metadata={"description": "Of `GET /v1/products`."})
    capsule_keys = Text(required=True, metadata={"description": "Of `GET /v1/capsule-keys`."})
    revoked_capsules = Text(
        required=True, metadata={"description": "Of `GET /v1/capsules/revoked`."}
    )


class HeartbeatView(Schema):
    """What a device should know."""

    now = Timestamp(required=True, metadata={"description": "The server's time."})
    skew_ms = Integer(
        required=True,
        allow_none=True,
        metadata={
            "description": "How far its clock was ahead when this arrived, the way here included;"
            " null if it did not say."
        },
    )
    profile = Text(
        required=True,
        validate=validate.OneOf(DEVICE_PROFILES),
        metadata={"description": "What it may do."},
    )
    minimum_software_version = Text(
        required=True, allow_none=True, metadata={"description": "What the chain wants at least."}
    )
    is_outdated = Flag(
        required=True,
        metadata={"description": "Whether what runs on it, by what it told last, is older."},
    )
    log = fields.Nested(
        LogHead,
        required=True,
        allow_none=True,
        metadata={"description": "Of its offline log, the last item that was uploaded."},
    )
    is_log_here = Flag(
        required=True,
        allow_none=True,
        metadata={
            "description": "Whether the item that it told was uploaded; null if it told none."
        },
    )
    versions = fields.Nested(
        VersionsView, required=True, metadata={"description": "What to fetch anew, if another."}
    )


@heartbeats.post("/heartbeat", guard=device, body=HeartbeatBody, answer=HeartbeatView)
def beat(*, caller: DeviceCaller, body: dict[str, Any]) -> dict[str, Any]:
    """Say that a device is there, every minute or so, and hear what it should know.

    A device sets the date of its signatures by `now`. Versions may be ten seconds old.
    """
    now = clock.common()
    skew_ms = _skew_ms(body["clock"], now)
    version = chain.hear_from(
        device_id=caller.device_id,
        software_version=body["software_version"],
        clock_skew_ms=skew_ms,
        now=now,
    )
    least, told = config().minimum_software_version, _head(body["log"])
    here = find_head(caller.device_id)
    return {
        "now": now,
        "skew_ms": skew_ms,
        "profile": caller.profile,
        "minimum_software_version": least,
        "is_outdated": chain.is_outdated(version, least=least),
        "log": here and {"number": here.number, "hash": here.hash.hex()},
        "is_log_here": told and is_here(caller.device_id, told),
        "versions": versions(now=now),
    }


def _head(told: dict[str, Any] | None) -> Head | None:
    return None if told is None else Head(told["number"], bytes.fromhex(told["hash"]))


def _skew_ms(shown: datetime | None, now: datetime) -> int | None:
    return None if shown is None else (shown - now) // _MILLISECOND
