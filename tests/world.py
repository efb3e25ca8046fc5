"""A small chain to test in: three stores, one drink, clerks with tills, members with cups.

Rows are written as the models would; each test says only what matters to it.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select

from chain.models import (
    Device,
    LegalEntity,
    OfficeSession,
    Product,
    Shift,
    Staff,
    StaffStore,
    Store,
    StoreOwner,
)
from dev.device_key import DeviceKey
from kernel import secrets
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from ledger import Event, install_chart, policy, post
from members.models import Member, MemberSession
from redemption import token
from redemption.answer import Redeemed
from redemption.models import Credential
from redemption.scan import Asked, Scan
from redemption.service.redeem import redeem
from tests import photograph
from tests.rows import write
from vouchers.earning_policy import end_of_day
from vouchers.models import (
    Lot,
    Offer,
    OfferVersion,
    OfferVersionProduct,
    OfferVersionStore,
    Wallet,
)

Row = TypeVar("Row")

_FAR = datetime(2100, 1, 1, tzinfo=UTC)


def bearer(session_token: str) -> dict[str, str]:
    """The header that shows a token."""
    return {"Authorization": f"Bearer {session_token}"}


def key() -> dict[str, str]:
    """A fresh idempotency key."""
    return {"Idempotency-Key": new_id().hex}


@dataclass(frozen=True)
class Till:
    """A clerk or manager at work: what signs a scan."""

    token: str
    shift_id: UUID
    device_id: UUID
    staff_id: UUID
    store_id: UUID
    device_key: DeviceKey | None = None


@dataclass
class World:
    """The chain, and short ways to act in it."""

    now: datetime
    stores: dict[str, UUID] = field(default_factory=dict)
    products: dict[str, UUID] = field(default_factory=dict)
    offers: dict[str, tuple[UUID, UUID]] = field(default_factory=dict)

    def add_store(self, code: str, *, is_online: bool = False) -> UUID:
        entity_id, store_id = new_id(), new_id()
        entity = {"id": entity_id, "code": f"entity-{code}", "name": f"Entity {code}"}
        store = {
            "id": store_id,
            "code": code,
            "name": f"Store {code}",
            "time_zone": "Asia/Taipei",
            "day_ends_at": time(4),
            "is_online": is_online,
        }
        owner = {
            "store_id": store_id,
            "starts_on": date(1970, 1, 1),
            "legal_entity_id": entity_id,
        }
        with transaction():
            write((LegalEntity, entity), (Store, store), (StoreOwner, owner))
        self.stores[code] = store_id
        return store_id

    def add_product(self, code: str, *, list_price: int = 50) -> UUID:
        product_id = new_id()
        product = {
            "id": product_id,
            "code": code,
            "name": code,
            "size": "M",
            "list_price": list_price,
            "currency": "TWD",
        }
        with transaction():
            write((Product, product))
        self.products[code] = product_id
        return product_id

    def add_offer(
        self,
        code: str,
        *,
        product: str | tuple[str, ...] | None = "latte",
        stores: tuple[str, ...] = (),
        **terms: Any,
    ) -> UUID:
        """An offer with one version, good for one product, some or none; the version's id.

        `stores` are those that are `listed`, where the terms say so.
        """
        offer_id, version_id, since = new_id(), new_id(), self.now - timedelta(days=1000)
        offer = {"id": offer_id, "code": code, "kind": terms.pop("kind", "pack")}
        version = {
            "id": version_id,
            "offer_id": offer_id,
            "version": 1,
            "name": code,
            "sale_starts_at": since,
            "price": 500,
            "currency": "TWD",
            "cups": 11,
            "bonus_cups": 1,
            "expiry_mode": "never",
            **terms,
        }
        version["approved_at"] = version["sale_starts_at"]
        good_for = [
            {"offer_version_id": version_id, "product_id": self.products[name]}
            for name in ((product,) if isinstance(product, str) else product or ())
        ]
        listed = [
            {"offer_version_id": version_id, "store_id": self.stores[name]} for name in stores
        ]
        with transaction():
            write(
                (Offer, offer),
                (OfferVersion, version),
                *((OfferVersionProduct, one) for one in good_for),
                *((OfferVersionStore, one) for one in listed),
            )
        self.offers[code] = (offer_id, version_id)
        return version_id

    def add_till(
        self,
        store: str,
        *,
        role: str = "clerk",
        own: UUID | None = None,
        signed: bool = False,
        profile: str = "till",
    ) -> Till:
        """Somebody at a store, with a device and a running shift.

        The device is of those that were enrolled before there were keys, unless it is `signed`.
        """
        number, store_id = new_id().hex[-12:], self.stores[store]
        staff_id, device_id, shift_id = new_id(), new_id(), new_id()
        device_token, shift_token = secrets.new_token("dev_"), secrets.new_token("shf_")
        device_key = DeviceKey() if signed else None
        if device_key is not None:
            device_key.device_id = str(device_id)
        staff = {"id": staff_id, "number": number, "name": number, "role": role, "member_id": own}
        device = {
            "id": device_id,
            "store_id": store_id,
            "name": "till",
            "code_digest": secrets.digest(device_token + "code"),
            "code_ends_at": self.now,
            "token_digest": secrets.digest(device_token),
            "enrolled_at": self.now,
            "public_key": device_key.public if device_key else None,
            "profile": profile,
        }
        shift = {
            "id": shift_id,
            "token_digest": secrets.digest(shift_token),
            "device_id": device_id,
            "staff_id": staff_id,
            "started_at": self.now,
            "ends_at": _FAR,
        }
        with transaction():
            write(
                (Staff, staff),
                (StaffStore, {"staff_id": staff_id, "store_id": store_id}),
                (Device, device),
                (Shift, shift),
            )
        return Till(shift_token, shift_id, device_id, staff_id, store_id, device_key)

    def add_member(self) -> UUID:
        """A shopper with an empty wallet."""
        member_id = new_id()
        member = {
            "id": member_id,
            "phone_index": member_id.bytes,
            "phone_sealed": b"",
            "joined_at": self.now,
        }
        with transaction():
            write((Member, member), (Wallet, {"member_id": member_id}))
        return member_id

    def sign_in(self, member_id: UUID) -> dict[str, str]:
        """The header of a member's signed-in app."""
        session_token = secrets.new_token("mem_")
        session = {
            "id": new_id(),
            "member_id": member_id,
            "token_digest": secrets.digest(session_token),
            "started_at": self.now,
            "ends_at": _FAR,
        }
        with transaction():
            write((MemberSession, session))
        return bearer(session_token)

    def open_office(self, role: str) -> dict[str, str]:
        """The header of somebody at a desk."""
        number, session_token = new_id().hex[-12:], secrets.new_token("off_")
        staff = {"id": new_id(), "number": number, "name": number, "role": role}
        session = {
            "id": new_id(),
            "token_digest": secrets.digest(session_token),
            "staff_id": staff["id"],
            "started_at": self.now,
            "ends_at": _FAR,
        }
        with transaction():
            write((Staff, staff), (OfficeSession, session))
        return bearer(session_token)

    def add_lot(self, member_id: UUID, offer: str, *, store: str = "A", **held: Any) -> UUID:
        """Cups in a wallet, with their sale in the books. Answers the lot's id."""
        offer_id, version_id = self.offers[offer]
        source_id, ends_at = new_id(), held.get("ends_at")
        lot = Lot(
            member_id=member_id,
            id=new_id(),
            offer_version_id=version_id,
            offer_id=offer_id,
            store_id=self.stores[store],
            source_id=source_id,
            currency="TWD",
            **{
                "source": "order_item",
                "buyer_id": member_id,
                "order_item_id": source_id,
                "expiry_mode": "never" if ends_at is None else "lapse",
                "due_at": ends_at,
                "account": "2131",
                "units": 11,
                "net": 476,
                "vat": 24,
                "sold_at": self.now,
                **held,
            },
        )
        with transaction():
            db.session.add(lot)
            db.session.flush()
            pairs = policy.sale(
                store_id=lot.store_id,
                account=lot.account,
                net=lot.net,
                vat=lot.vat,
                cups=lot.units,
                offer_id=offer_id,
                lot_id=lot.id,
            )
            post(
                Event(
                    member_id=member_id,
                    kind="sale",
                    source_id=lot.id,
                    pairs=pairs,
                    event_at=lot.sold_at,
                    occurred_on=lot.sold_at.date(),
                    currency="TWD",
                )
            )
        return lot.id

    def add_days(self, member_id: UUID, offer: str, *, days: int = 30, **held: Any) -> UUID:
        """So many days of a plan without a count of cups, from now on. Answers the lot's id."""
        ends_at = held.pop("ends_at", self.now + timedelta(days=days))
        return self.add_lot(
            member_id,
            offer,
            units=0,
            account="2132",
            earns_from_on=self.now.date(),
            earns_days=days,
            due_at=end_of_day(self.now.date(), time_zone="Asia/Taipei"),
            ends_at=ends_at,
            source="period",
            order_item_id=None,
            **held,
        )

    def add_credential(self, member_id: UUID) -> bytes:
        """What a phone shows codes with, good for a year."""
        credential_id = token.new_credential_id()
        credential = {
            "id": credential_id,
            "member_id": member_id,
            "issued_at": self.now,
            "ends_at": _FAR,
        }
        with transaction():
            write((Credential, credential))
        return credential_id

    def code(self, credential_id: bytes, *, at: datetime | None = None, step: int = 0) -> str:
        """The text that a phone shows at a moment, or so many steps later."""
        return token.make(
            credential_id=credential_id,
            seed=token.seed_of(credential_id),
            step=token.step_at(at or self.now) + step,
        )

    def scan(
        self,
        till: Till,
        code: str,
        cups: int = 1,
        *,
        product_id: UUID | None = None,
        drinks: Mapping[str, int] | None = None,
        **other: Any,
    ) -> Scan:
        """What a till sends: cups of one drink, mostly latte, or of several `drinks` by name."""
        asked = {self.products[name]: many for name, many in (drinks or {}).items()}
        asked = asked or {product_id or self.products["latte"]: cups}
        return Scan(
            **{
                "shift_digest": secrets.digest(till.token),
                "code": code,
                "items": tuple(Asked(drink_id, many) for drink_id, many in asked.items()),
                "key": new_id().hex,
                "fingerprint": code.encode() + bytes([cups % 256]),
                **other,
            }
        )

    def take(self, till: Till, member_id: UUID, cups: int = 1, **other: Any) -> Redeemed:
        """Hand over cups with a fresh credential, so that no code is used twice."""
        at = other.pop("now", self.now)
        code = self.code(self.add_credential(member_id), at=at)
        return redeem(scan=self.scan(till, code, cups, **other), now=at)


def only(model: type[Row]) -> Row:
    """The one row there is, read and let go, so that no transaction stays open."""
    row = db.session.scalars(select(model)).one()
    db.session.expunge_all()
    db.session.rollback()
    return row


def small_world(now: datetime) -> World:
    """Stores A, B, C and the online store W; a latte; the pack of 11 for 500."""
    if _first:
        return _print_of(*_first[0], now)
    is_alone = photograph.is_blank()
    world = _built(now)
    if is_alone:
        _first.append((deepcopy(world), photograph.take()))
    return world


_first: list[tuple[World, photograph.Photograph]] = []


def _built(now: datetime) -> World:
    world = World(now)
    with transaction():
        install_chart()
    for code in ("A", "B", "C"):
        world.add_store(code)
    world.add_store("W", is_online=True)
    world.add_product("latte")
    world.add_product("mocha")
    world.add_offer("eleven")
    return world


def _print_of(first: World, taken: photograph.Photograph, now: datetime) -> World:
    told = taken.printed(now - first.now)

    def fresh(one: UUID) -> UUID:
        return UUID(told[str(one)])

    return World(
        now,
        stores={code: fresh(one) for code, one in first.stores.items()},
        products={code: fresh(one) for code, one in first.products.items()},
        offers={
            code: (fresh(one), fresh(version)) for code, (one, version) in first.offers.items()
        },
    )
