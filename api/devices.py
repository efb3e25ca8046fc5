"""Tills and phones of the stores."""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any
from uuid import UUID

from flask import request
from marshmallow import validate

import chain
from api.auth import OfficeCaller, anyone, office
from api.counted import counted
from api.device_fields import PublicKey, SoftwareVersion, key_bytes
from api.fields import Flag, Id, Integer, Name, Schema, Text, Timestamp
from api.paging import Page, page_of, paged
from api.routing import Resource
from chain import Device, DeviceRevoked, Enrolled, PublicKeyTaken, StoreScope
from chain.models import DEVICE_CHANNELS, DEVICE_PROFILES
from kernel import clock
from kernel.config import config
from kernel.errors import NotFound, RateLimited

devices = Resource("devices", "/v1/devices", "Devices: the tills and phones of the stores.")

_AT_DESK = office("manager", "admin")
_ONE_SUBSCRIBER = 64  # bits of an IPv6 address that belong to one connection


class DeviceBody(Schema):
    """A device to be enrolled."""

    store_id = Id(required=True, metadata={"description": "The store it will stand in."})
    name = Name(required=True, most=60, metadata={"description": "To tell it from others."})
    channel = Text(
        load_default="counter",
        validate=validate.OneOf(DEVICE_CHANNELS),
        metadata={"description": "What it serves: some offers are not for every channel."},
    )
    profile = Text(
        load_default="till",
        validate=validate.OneOf(DEVICE_PROFILES),
        metadata={
            "description": "What it may do: a `scanner` hands cups over and takes no money, a"
            " `screen` only shows."
        },
    )


class EnrolBody(Schema):
    """What was read to the store."""

    code = Text(
        required=True,
        least=8,
        most=20,
        metadata={"description": "Case, spaces and hyphens do not matter.", "example": "7GK2-PM4X"},
    )
    public_key = PublicKey(
        required=True,
        metadata={
            "description": "The public half of the Ed25519 key that the device has made for itself,"
            " 32 bytes in base64url without padding. It signs all that it sends from now on.",
            "example": "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs",
        },
    )
    software_version = SoftwareVersion(
        load_default=None, metadata={"description": "What runs on it.", "example": "2.1.0"}
    )


class DeviceView(Schema):
    """A device, as the desk sees it."""

    id = Id(required=True, metadata={"description": "To name it by."})
    store_id = Id(required=True, metadata={"description": "The store it stands in."})
    name = Text(required=True, metadata={"description": "To tell it from others."})
    channel = Text(
        required=True,
        validate=validate.OneOf(DEVICE_CHANNELS),
        metadata={"description": "What it serves."},
    )
    profile = Text(
        required=True,
        validate=validate.OneOf(DEVICE_PROFILES),
        metadata={"description": "What it may do."},
    )
    has_key = Flag(
        required=True,
        metadata={"description": "Whether it signs what it sends; if not, enrol it again."},
    )
    software_version = Text(
        required=True, allow_none=True, metadata={"description": "What runs on it, as it says."}
    )
    is_outdated = Flag(
        required=True,
        metadata={"description": "Whether that is older than the chain wants."},
    )
    last_seen_at = Timestamp(
        required=True,
        allow_none=True,
        metadata={"description": "When it was last heard from, to the minute."},
    )
    clock_skew_ms = Integer(
        required=True,
        allow_none=True,
        metadata={
            "description": "How far its clock was ahead then; null if it has not said. What is"
            " served offline by a clock that is off by ten minutes waits for a person."
        },
    )
    code_ends_at = Timestamp(
        required=True, metadata={"description": "Until when its code can be used."}
    )
    enrolled_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When its code was used."}
    )
    revoked_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "Since when it may do nothing."}
    )


class NewDeviceView(Schema):
    """A device that waits for its code."""

    id = Id(required=True, attribute="device.id", metadata={"description": "To name it by."})
    store_id = Id(
        required=True, attribute="device.store_id", metadata={"description": "Its store."}
    )
    name = Text(
        required=True, attribute="device.name", metadata={"description": "To tell it from others."}
    )
    code = Text(required=True, metadata={"description": "Shown this once; good once."})
    code_ends_at = Timestamp(
        required=True,
        attribute="device.code_ends_at",
        metadata={"description": "Until when the code can be used: an hour from now."},
    )


class EnrolledView(Schema):
    """A device that may start shifts from now on."""

    device_id = Id(required=True, attribute="device.id", metadata={"description": "To name it by."})
    store_id = Id(
        required=True, attribute="device.store_id", metadata={"description": "Its store."}
    )
    profile = Text(
        required=True,
        attribute="device.profile",
        validate=validate.OneOf(DEVICE_PROFILES),
        metadata={"description": "What it may do."},
    )
    token = Text(
        required=True, metadata={"description": "For `Authorization: Bearer`. Shown this once."}
    )
    now = Timestamp(
        required=True,
        attribute="device.enrolled_at",
        metadata={"description": "The server's time: what the device signs is dated by it."},
    )


@devices.get("", guard=_AT_DESK, query=Page, answer=paged(DeviceView))
def list_devices(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """List devices: an admin sees all, a manager those of their own stores."""
    return page_of(
        lambda limit, after: [
            _shown(device)
            for device in chain.list_devices(
                staff_id=caller.staff_id,
                role=caller.role,
                after=after[0] if after else None,
                limit=limit,
            )
        ],
        query=query,
        position=lambda device: (device["id"],),
    )


@devices.post(
    "",
    guard=_AT_DESK,
    body=DeviceBody,
    answer=NewDeviceView,
    status=201,
    refusals=(NotFound, StoreScope),
)
def create_device(*, caller: OfficeCaller, body: dict[str, Any]) -> chain.NewDevice:
    """Make a device of a store, and the code to enrol it by. Managers: their own stores'."""
    return chain.create_device(**body, staff_id=caller.staff_id, role=caller.role, now=clock.now())


@devices.post(
    "/enrol",
    guard=anyone,
    body=EnrolBody,
    answer=EnrolledView,
    status=201,
    transaction="own",
    refusals=(NotFound, PublicKeyTaken, RateLimited),
)
def enrol_device(*, body: dict[str, Any]) -> Enrolled:
    """Trade a device's code for its token, at the device itself, and leave its public key.

    From now on all that it sends, with this token or a shift's, is signed by that key. A code that
    is wrong, ended or used gets one and the same answer. Twenty wrong codes in a row from one
    address, and it waits for a quarter of an hour.
    """
    address = _subscriber(request.remote_addr or "")
    enrolled: Enrolled = counted(
        lambda: chain.enrol_device(
            code=body["code"],
            public_key=key_bytes(body["public_key"]),
            software_version=body["software_version"],
            address=address,
            now=clock.now(),
        )
    )
    return enrolled


@devices.post(
    "/<uuid:device_id>/revoke",
    guard=_AT_DESK,
    answer=DeviceView,
    refusals=(NotFound, StoreScope),
)
def revoke_device(*, caller: OfficeCaller, device_id: UUID) -> dict[str, Any]:
    """Take a device's rights away, as when it is lost; every shift at it ends. Again is no harm."""
    return _shown(
        chain.revoke_device(
            device_id=device_id, staff_id=caller.staff_id, role=caller.role, now=clock.now()
        )
    )


@devices.post(
    "/<uuid:device_id>/re-enrol",
    guard=_AT_DESK,
    answer=NewDeviceView,
    refusals=(DeviceRevoked, NotFound, StoreScope),
)
def re_enrol_device(*, caller: OfficeCaller, device_id: UUID) -> chain.NewDevice:
    """Give a device a new code, as when its software was set up anew.

    It goes on as it is until the code is used; its token and key before end with that.
    """
    return chain.re_enrol_device(
        device_id=device_id, staff_id=caller.staff_id, role=caller.role, now=clock.now()
    )


def _shown(device: Device) -> dict[str, Any]:
    least, version = config().minimum_software_version, device.software_version
    plain = (
        "id", "store_id", "name", "channel", "profile", "software_version", "last_seen_at",
        "clock_skew_ms", "code_ends_at", "enrolled_at", "revoked_at",
    )  # fmt: skip
    return {
        **{name: getattr(device, name) for name in plain},
        "has_key": device.public_key is not None,
        "is_outdated": chain.is_outdated(version, least=least),
    }


def _subscriber(address: str) -> str:
    """Who is behind an address: one connection has 2^64 addresses of IPv6 to guess from."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    return str(ip_network((parsed, _ONE_SUBSCRIBER), strict=False))
