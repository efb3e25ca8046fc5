"""What the chain may refuse."""

from kernel.errors import Conflict, Forbidden, Invalid, refuse_on


class StoreScope(Forbidden):
    """Right, but for another store than the person's own."""

    code = "store-scope"


class SignInRefused(Invalid):
    """Number, secret or one-time code is wrong: one answer, so that it tells nothing."""

    code = "sign-in-refused"


class FirstPin(Conflict):
    """The PIN is the one that the desk gave: it is only good for choosing an own one."""

    code = "first-pin"


class LegalEntityExists(Conflict):
    """There is a legal entity of that code."""

    code = "legal-entity-exists"


class StaffNumberTaken(Conflict):
    """Somebody has, or had, this staff number."""

    code = "staff-number-taken"


class NotAtTills(Conflict):
    """The person has no PIN, since they do not work at tills."""

    code = "not-at-tills"


class DeviceRevoked(Conflict):
    """The device was revoked, and stays so: another one is made for what comes after it."""

    code = "device-revoked"


class PublicKeyTaken(Conflict):
    """Another device has this key: each makes its own."""

    code = "public-key-taken"


refuse_on("uq_legal_entity_code", LegalEntityExists)
refuse_on("uq_staff_number", StaffNumberTaken)
refuse_on("uq_device_public_key", PublicKeyTaken)
