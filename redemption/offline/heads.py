"""How far a device's log has come in."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from chain.models import Device
from kernel.db import db
from redemption.models import OfflineItem


class Head(NamedTuple):
    """An item of a device's log, by its number and hash."""

    number: int
    hash: bytes


def find_head(device_id: UUID) -> Head | None:
    """The item with the highest number that is here of a device, signed by the key that it has.

    None of its log need be here before that.
    """
    last = (
        select(OfflineItem.number, OfflineItem.hash)
        .join(Device, Device.id == OfflineItem.device_id)
        .where(OfflineItem.device_id == device_id, OfflineItem.signed_by == Device.public_key)
        .order_by(OfflineItem.number.desc(), OfflineItem.hash.desc())
        .limit(1)
    )
    row = db.session.execute(last).one_or_none()
    return None if row is None else Head(*row)


def is_here(device_id: UUID, head: Head) -> bool:
    """Whether an item of a device's log has come in."""
    return db.session.get(OfflineItem, (device_id, head.number, head.hash)) is not None
