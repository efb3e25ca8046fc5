"""The chain itself: its stores and products, its staff and their devices."""

from chain.errors import SignInRefused, StoreScope
from chain.models import Device
from chain.queries import (
    get_store,
    list_devices,
    list_products,
    list_stores,
    local_date,
    online_store,
    today_on,
)
from chain.service.device import Enrolled, NewDevice, create_device, enrol_device, revoke_device
from chain.service.staff import (
    StaffSignedIn,
    end_office_session,
    end_shift,
    start_office_session,
    start_shift,
)

__all__ = [
    "Device",
    "Enrolled",
    "NewDevice",
    "SignInRefused",
    "StaffSignedIn",
    "StoreScope",
    "create_device",
    "end_office_session",
    "end_shift",
    "enrol_device",
    "get_store",
    "list_devices",
    "list_products",
    "list_stores",
    "local_date",
    "online_store",
    "revoke_device",
    "start_office_session",
    "start_shift",
    "today_on",
]
