"""The chain that trades: stores and their owners, drinks, offers, tills, two people at desks."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from uuid import UUID

from chain.models import (
    Device,
    LegalEntity,
    Product,
    Shift,
    Staff,
    StaffStore,
    Store,
    StoreOwner,
)
from kernel import secrets
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from ledger import install_chart
from ledger.chart import SINCE_EVER
from ledger.month import Month
from vouchers.models import Offer, OfferVersion, OfferVersionProduct

TIME_ZONE = "Asia/Taipei"
FAR = datetime(2100, 1, 1, tzinfo=UTC)
_ENTITIES = 3
_PRODUCTS = 8

# Price and cups of every kind of amount: round, odd, more cups than dollars.
_PACKS = (
    *((1000, 11), (500, 11), (799, 13), (333, 7), (1288, 23), (2, 29), (650, 11), (88, 1)),
    *((1999, 41), (455, 9), (720, 12), (101, 3), (560, 8), (1150, 17), (275, 5), (940, 16)),
    *((380, 6), (1500, 33), (610, 10), (89, 2), (1777, 31), (240, 4), (860, 14), (430, 19)),
)
_ENDING_PACKS = ((500, 11), (299, 6), (1049, 22), (699, 15), (159, 3), (820, 18))
_PLANS = ((499, 10), (899, 20), (299, 6), (649, 14), (1290, 30), (199, 4), (359, 7), (759, 16))
_DAILY = ((99, "membership"), (1299, "unlimited"))
_ZERO_RATED = 7


@dataclass(frozen=True, slots=True)
class Sold:
    """An offer and its one version. `sort` is pack, ending, plan, membership or unlimited."""

    id: UUID
    version_id: UUID
    sort: str
    price: int
    vat_code: str
    cups: int
    drinks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Till:
    """What signs the scans of one store."""

    shift_digest: bytes
    manager_id: UUID


@dataclass(frozen=True, slots=True)
class Chain:
    """Store 0 is the online one: it sells and makes no cups."""

    stores: list[UUID]
    tills: list[Till]
    drinks: list[UUID]
    offers: list[Sold]
    office: tuple[UUID, UUID]

    def of(self, *sorts: str) -> list[Sold]:
        """The offers of some sorts."""
        return [offer for offer in self.offers if offer.sort in sorts]


def open_chain(*, stores: int, first: Month, now: datetime) -> Chain:
    """Write the chain; one store changes hands with the third month."""
    with transaction():
        install_chart()
        entities = [_entity(number) for number in range(_ENTITIES)]
        branches = [_store(number) for number in range(stores + 1)]
        _own(branches, entities, changes_on=first.next().next().first_on)
        tills = [_till(number, store_id, now) for number, store_id in enumerate(branches)]
        drinks = [_drink(number) for number in range(_PRODUCTS)]
        office = (_person("D1", "finance"), _person("D2", "admin"))
    with transaction():
        offers = [_offer(number, terms, drinks, now) for number, terms in enumerate(_terms())]
    return Chain(branches, tills, drinks, offers, office)


def _entity(number: int) -> UUID:
    entity = LegalEntity(id=new_id(), code=f"E{number}", name=f"Entity {number}")
    db.session.add(entity)
    db.session.flush()
    return entity.id


def _store(number: int) -> UUID:
    store = Store(
        id=new_id(),
        code=f"S{number:03d}",
        name=f"Store {number}",
        time_zone=TIME_ZONE,
        day_ends_at=time(4),
        is_online=number == 0,
    )
    db.session.add(store)
    db.session.flush()
    return store.id


def _own(stores: list[UUID], entities: list[UUID], *, changes_on: date) -> None:
    for number, store_id in enumerate(stores):
        _owner(store_id, entities[number % _ENTITIES], SINCE_EVER)
    _owner(stores[-1], entities[len(stores) % _ENTITIES], changes_on)


def _owner(store_id: UUID, entity_id: UUID, starts_on: date) -> None:
    db.session.add(StoreOwner(store_id=store_id, starts_on=starts_on, legal_entity_id=entity_id))


def _person(number: str, role: str) -> UUID:
    staff = Staff(id=new_id(), number=number, name=number, role=role)
    db.session.add(staff)
    db.session.flush()
    return staff.id


def _till(number: int, store_id: UUID, now: datetime) -> Till:
    manager_id, token = _person(f"M{number:03d}", "manager"), secrets.new_token("shf_")
    device = Device(
        id=new_id(),
        store_id=store_id,
        name="till",
        code_digest=secrets.digest(f"code {number}"),
        code_ends_at=now,
        token_digest=secrets.digest(f"device {number}"),
        enrolled_at=now,
    )
    db.session.add(device)
    db.session.flush()
    db.session.add(StaffStore(staff_id=manager_id, store_id=store_id))
    shift = Shift(
        id=new_id(),
        token_digest=secrets.digest(token),
        device_id=device.id,
        staff_id=manager_id,
        started_at=now,
        ends_at=FAR,
    )
    db.session.add(shift)
    return Till(shift.token_digest, manager_id)


def _drink(number: int) -> UUID:
    drink = Product(
        id=new_id(),
        code=f"drink-{number}",
        name=f"Drink {number}",
        size="M",
        list_price=45 + 5 * number,
        currency="TWD",
    )
    db.session.add(drink)
    return drink.id


def _terms() -> list[tuple[str, int, int]]:
    """Forty offers: sort, price, cups. What is earned by the day counts as one cup of no drink."""
    return [
        *(("pack", *pack) for pack in _PACKS),
        *(("ending", *pack) for pack in _ENDING_PACKS),
        *(("plan", *plan) for plan in _PLANS),
        *((sort, price, 1) for price, sort in _DAILY),
    ]


def _offer(number: int, terms: tuple[str, int, int], drinks: list[UUID], now: datetime) -> Sold:
    sort, price, cups = terms
    is_pack = sort in ("pack", "ending")
    offer = Offer(id=new_id(), code=f"{sort}-{number}", kind="pack" if is_pack else "plan")
    version = OfferVersion(
        id=new_id(),
        offer_id=offer.id,
        version=1,
        name=offer.code,
        price=price,
        currency="TWD",
        vat_code="zero" if number == _ZERO_RATED else "standard",
        cups=cups,
        bonus_cups=1 if cups == 11 else 0,
        expiry_mode="never" if sort == "pack" else "lapse",
        cups_per_day=4 if sort == "plan" else None,
        refund_fee_bp=300,
        withdrawal_days=1,
        sale_starts_at=now,
    )
    fits = _fits(number, sort)
    db.session.add(offer)
    db.session.flush()
    db.session.add(version)
    db.session.flush()
    db.session.add_all(
        OfferVersionProduct(offer_version_id=version.id, product_id=drinks[fit]) for fit in fits
    )
    db.session.flush()
    version.approved_at = now
    return Sold(offer.id, version.id, sort, price, version.vat_code, cups, fits)


def _fits(number: int, sort: str) -> tuple[int, ...]:
    if sort in ("pack", "ending"):
        return (number % _PRODUCTS, (number + 1) % _PRODUCTS)
    return tuple(range(_PRODUCTS)) if sort == "plan" else ()
