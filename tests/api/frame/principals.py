"""People and tills that are signed in, written straight into the tables."""

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from chain.models import Device, LegalEntity, OfficeSession, Shift, Staff, Store
from kernel import clock, secrets
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from members.models import Member, MemberSession

HOUR = timedelta(hours=1)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def member_token(*, member_id: UUID | None = None, **session: Any) -> str:
    """Sign a new shopper in; answer the token."""
    token, started_at = secrets.new_token("mem_"), clock.now()
    member = Member(
        id=member_id or new_id(),
        phone_index=new_id().bytes,
        phone_sealed=b"",
        joined_at=started_at,
    )
    with transaction():
        db.session.add(member)
        db.session.flush()
        fresh = {**_session(token, started_at), **session}
        db.session.add(MemberSession(**fresh, member_id=member.id))
    return token


def staff(**changes: Any) -> Staff:
    """Somebody who works here."""
    person = Staff(**{"id": new_id(), "number": str(new_id()), "name": "Bob", **changes})
    with transaction():
        db.session.add(person)
    return person


def device_token(**changes: Any) -> tuple[UUID, str]:
    """Enrol a till at a new store; answer its id and token."""
    token, enrolled_at = secrets.new_token("dev_"), clock.now()
    entity = LegalEntity(id=new_id(), code=str(new_id()), name="Entity")
    store = Store(
        id=new_id(),
        code=str(new_id()),
        name="Store",
        time_zone="Asia/Taipei",
        day_ends_at=time(4),
    )
    till = Device(
        id=new_id(),
        store_id=store.id,
        name="till",
        code_digest=new_id().bytes,
        code_ends_at=enrolled_at,
        token_digest=secrets.digest(token),
        enrolled_at=enrolled_at,
        **changes,
    )
    with transaction():
        for row in (entity, store, till):
            db.session.add(row)
            db.session.flush()
    return till.id, token


def shift_token(*, device_id: UUID, staff_id: UUID, **changes: Any) -> str:
    """Begin a shift; answer its token."""
    token = secrets.new_token("shf_")
    fresh = {**_session(token, clock.now()), **changes}
    with transaction():
        db.session.add(Shift(**fresh, device_id=device_id, staff_id=staff_id))
    return token


def office_token(*, staff_id: UUID, **changes: Any) -> str:
    """Sign in at a desk; answer the token."""
    token = secrets.new_token("off_")
    fresh = {**_session(token, clock.now()), **changes}
    with transaction():
        db.session.add(OfficeSession(**fresh, staff_id=staff_id))
    return token


def _session(token: str, started_at: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "token_digest": secrets.digest(token),
        "started_at": started_at,
        "ends_at": started_at + HOUR,
    }
