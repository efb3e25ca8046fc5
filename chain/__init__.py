"""The chain itself: its stores and products, its staff and their devices."""

from chain.errors import LegalEntityExists, SignInRefused, StoreScope
from chain.models import Device, LegalEntity
from chain.queries import (
    find_products,
    find_stores,
    get_legal_entity,
    get_store,
    list_devices,
    list_legal_entities,
    list_products,
    list_stores,
    local_date,
    names_of_entities,
    names_of_stores,
    online_store,
    today_on,
)
from chain.service.device import Enrolled, NewDevice, create_device, enrol_device, revoke_device
from chain.service.owners import (
    Owned,
    add_legal_entity,
    list_owners,
    owner_on,
    owners_on,
    set_owner,
)
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
    "LegalEntity",
    "LegalEntityExists",
    "NewDevice",
    "Owned",
    "SignInRefused",
    "StaffSignedIn",
    "StoreScope",
    "add_legal_entity",
    "create_device",
    "end_office_session",
    "end_shift",
    "enrol_device",
    "find_products",
    "find_stores",
    "get_legal_entity",
    "get_store",
    "list_devices",
    "list_legal_entities",
    "list_owners",
    "list_products",
    "list_stores",
    "local_date",
    "names_of_entities",
    "names_of_stores",
    "online_store",
    "owner_on",
    "owners_on",
    "revoke_device",
    "set_owner",
    "start_office_session",
    "start_shift",
    "today_on",
]
