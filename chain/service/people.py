"""Staff who work at tills: added by the office, with a first PIN that they replace by their own."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import delete, select, update

from chain import policy
from chain.errors import NotAtTills, SignInRefused, StoreScope
from chain.models import Device, Shift, Staff, StaffStore
from chain.queries import find_stores, stores_of
from chain.service.staff import signed_in_by_pin
from kernel import secrets
from kernel.db import db
from kernel.errors import NotFound, RateLimited
from kernel.ids import new_id

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the staff, and where they work."""

    staff: Staff
    store_ids: list[UUID]


@dataclass(frozen=True, slots=True)
class FirstPinGiven:
    """Somebody who must choose a PIN. The first one is shown this once: the row keeps a hash."""

    person: Person
    pin: str


def add_staff(
    *,
    number: str,
    name: str,
    role: str,
    store_ids: Collection[UUID],
    member_id: UUID | None = None,
    by_id: UUID,
    by_role: str,
    now: datetime,
) -> FirstPinGiven:
    """Add a clerk, or as an admin a manager, with a first PIN for the next 24 hours.

    Managers add clerks to their own stores. `member_id` names the person's own wallet, from which
    they may not hand over cups.

    Raises:
        NotFound: there is no such store.
        StoreScope: a manager adds a manager, or somebody to a store that is not theirs.
        StaffNumberTaken: somebody has this number, as the database says.
    """
    wanted = set(store_ids)
    if len(find_stores(wanted)) < len(wanted):
        raise NotFound
    if by_role != "admin" and (role != "clerk" or not wanted <= stores_of(by_id)):
        raise StoreScope
    made = Staff(id=new_id(), number=number, name=name, role=role, member_id=member_id)
    pin = _give_pin(made, now=now)
    db.session.add(made)
    db.session.flush()
    db.session.add_all(StaffStore(staff_id=made.id, store_id=store_id) for store_id in wanted)
    log.info("staff.added", staff_id=str(made.id), by_id=str(by_id))
    return FirstPinGiven(Person(made, sorted(wanted)), pin)


def reset_pin(*, staff_id: UUID, by_id: UUID, by_role: str, now: datetime) -> FirstPinGiven:
    """Give somebody a first PIN in place of theirs, which is worth nothing from now on.

    A running shift goes on; `disable_staff` ends those.

    Raises:
        NotFound, StoreScope: as in `disable_staff`.
        NotAtTills: finance and admins have no PIN, and who is disabled needs none.
    """
    staff = _of_mine(staff_id, by_id=by_id, by_role=by_role)
    if staff.role not in policy.AT_TILLS or staff.disabled_at is not None:
        raise NotAtTills
    pin = _give_pin(staff, now=now)
    log.info("staff.pin_reset", staff_id=str(staff.id), by_id=str(by_id))
    return FirstPinGiven(_person(staff), pin)


def disable_staff(*, staff_id: UUID, by_id: UUID, by_role: str, now: datetime) -> Person:
    """Let somebody do nothing from now on, at tills and desks; their shifts end. Again is no harm.

    Raises:
        NotFound: there is nobody of this id.
        StoreScope: a manager acts on somebody who is no clerk, or of none of their stores.
    """
    staff = _of_mine(staff_id, by_id=by_id, by_role=by_role)
    if staff.disabled_at is None:
        staff.disabled_at = now
        log.info("staff.disabled", staff_id=str(staff.id), by_id=str(by_id))
    return _person(staff)


def move_staff(
    *, staff_id: UUID, store_ids: Collection[UUID], by_id: UUID, by_role: str, now: datetime
) -> Person:
    """Let somebody work at these stores and no others; their shifts elsewhere end.

    Managers add a clerk to their own stores and take them from these: where else somebody works
    is for others to say.

    Raises:
        NotFound: there is nobody of this id, or no such store.
        StoreScope: a manager acts on somebody who is no clerk, or of none of their stores, or
            changes whether they work at another.
    """
    wanted = set(store_ids)
    if len(find_stores(wanted)) < len(wanted):
        raise NotFound
    staff = _of_mine(staff_id, by_id=by_id, by_role=by_role)
    had = stores_of(staff.id)
    if by_role != "admin" and not wanted ^ had <= stores_of(by_id):
        raise StoreScope
    left = had - wanted
    db.session.execute(
        delete(StaffStore).where(StaffStore.staff_id == staff.id, StaffStore.store_id.in_(left))
    )
    db.session.add_all(StaffStore(staff_id=staff.id, store_id=one) for one in wanted - had)
    db.session.flush()
    there = select(Device.id).where(Device.store_id.in_(left))
    theirs = (Shift.staff_id == staff.id, Shift.ended_at.is_(None), Shift.device_id.in_(there))
    db.session.execute(update(Shift).where(*theirs).values(ended_at=now))
    log.info("staff.moved", staff_id=str(staff.id), by_id=str(by_id))
    return _person(staff)


def choose_pin(
    *, device_id: UUID, store_id: UUID, staff_number: str, pin: str, new_pin: str, now: datetime
) -> Person | SignInRefused | StoreScope | RateLimited:
    """Replace a PIN by one's own, at an enrolled device of one's store.

    A refusal is answered, not raised, and counted, as in `start_shift`. Comparing takes its time:
    if the desk has reset the PIN meanwhile, its first one holds, and not this.
    """
    staff = signed_in_by_pin(staff_number, pin, device_id=device_id, now=now)
    if not isinstance(staff, Staff):
        return staff
    person = _person(staff)
    if store_id not in person.store_ids:
        return StoreScope()
    as_compared = (Staff.id == staff.id, Staff.pin_hash == staff.pin_hash)
    chosen = update(Staff).where(*as_compared).returning(Staff.id)
    own = {"pin_hash": secrets.slow_hash(new_pin), "pin_ends_at": None}
    if db.session.scalar(chosen.values(**own)) is None:
        return SignInRefused()
    return person


def list_staff(*, by_id: UUID, by_role: str, after: UUID | None, limit: int) -> Sequence[Person]:
    """Everybody an admin may see; a manager sees who works at their own stores."""
    seen = select(Staff).order_by(Staff.id).limit(limit)
    if by_role != "admin":
        here = select(StaffStore.staff_id).where(StaffStore.store_id.in_(stores_of(by_id)))
        seen = seen.where(Staff.id.in_(here))
    if after is not None:
        seen = seen.where(Staff.id > after)
    return _people(db.session.scalars(seen))


def _give_pin(staff: Staff, *, now: datetime) -> str:
    pin = policy.first_pin()
    staff.pin_hash = secrets.slow_hash(pin)
    staff.pin_ends_at = now + policy.FIRST_PIN_LIVES
    return pin


def _of_mine(staff_id: UUID, *, by_id: UUID, by_role: str) -> Staff:
    staff = db.session.scalar(select(Staff).where(Staff.id == staff_id).with_for_update())
    if staff is None:
        raise NotFound
    if by_role != "admin":
        is_near = bool(stores_of(staff.id) & stores_of(by_id))
        if staff.role != "clerk" or not is_near:
            raise StoreScope
    return staff


def _person(staff: Staff) -> Person:
    return Person(staff, sorted(stores_of(staff.id)))


def _people(found: Iterable[Staff]) -> list[Person]:
    people = {staff.id: Person(staff, []) for staff in found}
    theirs = select(StaffStore.staff_id, StaffStore.store_id)
    listed = theirs.where(StaffStore.staff_id.in_(people)).order_by(StaffStore.store_id)
    for staff_id, store_id in db.session.execute(listed):
        people[staff_id].store_ids.append(store_id)
    return list(people.values())
