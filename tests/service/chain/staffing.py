"""Somebody to sign in, with secrets that are known."""

from uuid import UUID

import pyotp

from chain.models import Staff, StaffStore
from chain.service.staff import seal_totp
from kernel.db import db
from kernel.ids import new_id
from kernel.secrets import slow_hash
from kernel.transaction import transaction

PIN = "135790"
PASSWORD = "correct horse battery"
TOTP = pyotp.TOTP("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")

_PIN_HASH = slow_hash(PIN)
_PASSWORD_HASH = slow_hash(PASSWORD)


def add_staff(number: str, role: str, *, stores: list[UUID] | None = None) -> UUID:
    """A person of a role, working at some stores; all the secrets are the ones above."""
    is_at_desk = role != "clerk"
    staff = Staff(
        id=new_id(),
        number=number,
        name=number,
        role=role,
        pin_hash=_PIN_HASH if role in ("clerk", "manager") else None,
        password_hash=_PASSWORD_HASH if is_at_desk else None,
        totp_sealed=seal_totp(TOTP.secret) if is_at_desk else None,
    )
    with transaction():
        db.session.add(staff)
        db.session.flush()
        for store_id in stores or []:
            db.session.add(StaffStore(staff_id=staff.id, store_id=store_id))
    return staff.id
