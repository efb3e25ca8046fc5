"""Everybody who may call, each of them twice: whose the things are, and a stranger of the kind.

Alice holds cups, an order and a subscription. Store A handed over some of her cups. Bob, store B
and a manager of no store have nothing to do with that.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

import invoicing
import members
import payments
import redemption
import subs
import vouchers
from api.auth import Guard
from chain.models import Device, OfficeSession, Shift, Staff
from dev.device_key import DeviceKey
from invoicing import InvoiceLine
from kernel import clock, secrets
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from ledger.models import BookMonth, Entry, Reopening
from ledger.pairing import Leg
from ledger.service import adjusting
from members import keys
from members.models import Member, MemberSession
from payments.models import Card
from redemption.models import OfflineItem
from subs import sharing_token
from subs.models import PlanMigration, PlanSchedule
from tests.api.hostile.targets import Headers
from tests.club import PHONE, Club
from tests.world import Till, World, bearer
from vouchers import gift_token
from vouchers.models import GiftBlock, Offer, OfferVersion, Refund

BOBS_PHONE = "+886987654321"
LONG_AGO, LONGER_AGO = date(2020, 1, 1), date(2019, 12, 1)
EMAIL, BIRTHDAY = "alice@example.com", date(1998, 7, 13)

_FAR = datetime(2100, 1, 1, tzinfo=UTC)

# What each kind of token is called, with the scheme that it fits and the role that it gives.
KINDS: dict[str, tuple[str | None, str | None]] = {
    "nobody": (None, None),
    "member": ("member", None),
    "till": ("till", "clerk"),
    "device": ("device", None),
    "manager": ("office", "manager"),
    "finance": ("office", "finance"),
    "admin": ("office", "admin"),
}


def is_let_in(guard: Guard, kind: str) -> bool:
    """Whether a guard, as it is declared, lets this kind of token in."""
    scheme, role = KINDS[kind]
    return guard.is_open or (scheme in guard.schemes and (not guard.roles or role in guard.roles))


@dataclass
class Cast:
    """Who they are, and what stands for the names in an address."""

    club: Club
    alice: UUID
    bob: UUID
    shop: Till
    other_shop: Till
    staff: dict[str, UUID]
    ids: dict[str, str] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    _lasting: dict[tuple[str, str], Headers] = field(default_factory=dict)

    def principal(self, guard: Guard) -> UUID:
        """Under whom the keys of `owner(guard)` are kept."""
        if "office" in guard.schemes:
            return self.staff[self.kind(guard)]
        return self.alice if "member" in guard.schemes else self.shop.device_id

    def owner(self, guard: Guard) -> Headers:
        """Somebody whom the guard lets in and whose the things are, signed in once for all."""
        return self.lasting(self.owners, self.kind(guard))

    def lasting(self, whose: Callable[[str], Headers], kind: str) -> Headers:
        """A token of the owners or strangers, signed in once for all that do not end it."""
        if (whose.__name__, kind) not in self._lasting:
            self._lasting[whose.__name__, kind] = whose(kind)
        return self._lasting[whose.__name__, kind]

    def kind(self, guard: Guard) -> str:
        """The first kind of token that the guard lets in."""
        return next(kind for kind in KINDS if is_let_in(guard, kind))

    def owners(self, kind: str) -> Headers:
        return self._shown(kind, self.alice, self.shop)

    def strangers(self, kind: str) -> Headers:
        return self._shown(kind, self.bob, self.other_shop)

    @cached_property
    def dead(self) -> dict[str, Headers]:
        """Tokens that were good once, and why they no longer are."""
        now, admin = clock.now(), self.staff["admin"]
        revoked, disabled = self._revoked(), self._disabled()
        mute, forging = (self.club.world.add_till("A", signed=True) for _ in range(2))
        key = DeviceKey()
        key.device_id = str(forging.device_id)
        forged = key.signed("GET", "/", authorization="Bearer")
        return {
            "member ended": self._member(self.alice, ended_at=now),
            "member over": self._member(self.alice, ends_at=now),
            "till ended": self._shift(self.shop, ended_at=now),
            "till over": self._shift(self.shop, ends_at=now),
            "till of a revoked device": self._shift(revoked),
            "till of disabled staff": self._shift(disabled),
            "till that does not sign": self._shift(mute),
            "till with a foreign signature": {**self._shift(forging), **forged},
            "device revoked": self._device(revoked),
            "device that does not sign": self._device(mute),
            "device with a foreign signature": {**self._device(forging), **forged},
            "desk ended": self._desk(admin, ended_at=now),
            "desk over": self._desk(admin, ends_at=now),
            "desk of disabled staff": self._desk(disabled.staff_id),
        }

    def browser(self) -> str:
        """The token that is in the cookie of Alice's browser."""
        return self._member(self.alice)["Authorization"].removeprefix("Bearer ")

    def _shown(self, kind: str, member_id: UUID, till: Till) -> Headers:
        if kind == "nobody":
            return {}
        if kind == "member":
            return self._member(member_id)
        if kind in {"till", "device"}:
            return self._shift(till) if kind == "till" else self._device(till)
        return self._desk(self.staff[kind])

    def _member(self, member_id: UUID, **session: Any) -> Headers:
        token, fresh = self._session("mem_", **session)
        return self._kept(token, MemberSession(member_id=member_id, **fresh))

    def _shift(self, till: Till, **session: Any) -> Headers:
        token, fresh = self._session("shf_", **session)
        return self._kept(token, Shift(device_id=till.device_id, staff_id=till.staff_id, **fresh))

    def _desk(self, staff_id: UUID, **session: Any) -> Headers:
        token, fresh = self._session("off_", **session)
        return self._kept(token, OfficeSession(staff_id=staff_id, **fresh))

    def _device(self, till: Till) -> Headers:
        """A device has one token, so this is its only one from now on."""
        token = secrets.new_token("dev_")
        fresh = update(Device).where(Device.id == till.device_id)
        with transaction():
            db.session.execute(fresh.values(token_digest=secrets.digest(token)))
        return self._kept(token)

    def _revoked(self) -> Till:
        till = self.club.world.add_till("A")
        gone = update(Device).where(Device.id == till.device_id)
        with transaction():
            db.session.execute(gone.values(revoked_at=clock.now()))
        return till

    def _disabled(self) -> Till:
        till = self.club.world.add_till("A", role="manager")
        gone = update(Staff).where(Staff.id == till.staff_id)
        with transaction():
            db.session.execute(gone.values(disabled_at=clock.now()))
        return till

    def _session(self, prefix: str, **changes: Any) -> tuple[str, dict[str, Any]]:
        token = secrets.new_token(prefix)
        fresh = {
            "id": new_id(),
            "token_digest": secrets.digest(token),
            "started_at": clock.now(),
            "ends_at": _FAR,
        }
        return token, fresh | changes

    def _kept(self, token: str, *rows: object) -> Headers:
        with transaction():
            db.session.add_all(rows)
        self.secrets.append(token[4:])  # its prefix is no secret
        return bearer(token)


def cast_of(club: Club) -> Cast:
    """Put everybody and everything in place."""
    world, alice = club.world, club.member_id
    world.add_lot(alice, "eleven")
    made = Cast(
        club=club,
        alice=alice,
        bob=_member_with_phone(club),
        shop=world.add_till("A"),
        other_shop=world.add_till("B"),
        staff={role: _staff(role) for role in ("manager", "finance", "admin")},
    )
    made.ids = {
        "member_id": str(alice),
        "order_id": str(_order(club, alice)),
        "subscription_id": str(_subscription(club)),
        "redemption_id": world.take(made.shop, alice, now=clock.now()).id,
        "device_id": str(made.shop.device_id),
        "staff_id": str(made.shop.staff_id),
        "card_id": str(_card(alice)),
        "repayment_id": str(_cash_back(made.shop, alice)),
        "slug": "not-found",
        **_shown_at_tills(alice),
        **_pack(made.staff["admin"]),
        **_plan(club, made.staff["admin"]),
        **_gifts(club, alice),
        **_refund(club, alice),
        **_of_finance(world, made.staff["admin"]),
    }
    made.ids["late_void_id"] = _late_void(made.ids["redemption_id"], made.staff["finance"])
    made.ids["wallet_block_id"] = _wallet_block(made.staff["finance"], made.ids["redemption_id"])
    made.ids["item_number"] = _offline_item(made.shop)
    made.ids |= _places(club, UUID(made.ids["subscription_id"]))
    with transaction():
        members.change_profile(member_id=alice, name="Alice 王", email=EMAIL, birthday=BIRTHDAY)
    made.secrets += ["Alice", "王", EMAIL, str(BIRTHDAY), PHONE[4:], BOBS_PHONE[4:]]
    return made


# What belongs to the chain, and so to all of finance alike.
CHAINS = {
    "adjustment_id",
    "any_refund_id",
    "code",
    "entry_id",
    "invoice_id",
    "item_number",
    "late_void_id",
    "member_id",
    "migration_id",
    "number",
    "owner_id",
    "pack_id",
    "period",
    "plan_id",
    "reopening_id",
    "repayment_id",
    "store_id",
}


def _offline_item(shop: Till) -> str:
    """Cups that a till says to have served offline, by no capsule, which wait for a person."""
    item = OfflineItem(
        device_id=shop.device_id,
        number=77,
        hash=bytes(32),
        previous_hash=bytes(32),
        item="",
        signature=b"",
        signed_by=b"",
        store_id=shop.store_id,
        cups=1,
        served_at=clock.now(),
        business_day=clock.now().date(),
        received_at=clock.now(),
        outcome="review",
        reason="capsule-invalid",
    )
    with transaction():
        db.session.add(item)
    return "77"


def _late_void(redemption_id: str, staff_id: UUID) -> str:
    """A request to undo cups long after, which waits."""
    with transaction():
        asked = redemption.ask_late_void(
            redemption_id=UUID(redemption_id),
            items=None,
            reason="counted twice",
            asked_by_id=staff_id,
            now=clock.now(),
        )
        return str(asked.id)


def _wallet_block(staff_id: UUID, redemption_id: str) -> str:
    """A block of Alice's wallet that was lifted, so that she can go on."""
    with transaction():
        block = redemption.block_wallet(
            redemption_id=UUID(redemption_id),
            reason="served too often",
            staff_id=staff_id,
            role="finance",
            now=clock.now(),
        )
        redemption.lift_wallet_block(
            wallet_block_id=block.id, staff_id=staff_id, role="finance", now=clock.now()
        )
        return str(block.id)


def _shown_at_tills(member_id: UUID) -> dict[str, str]:
    """A phone and a card, as addresses name them."""
    with transaction():
        phone = redemption.issue_credential(member_id=member_id, now=clock.now())
        card = redemption.issue_wallet_card(member_id=member_id, name="Alice 王", now=clock.now())
        return {"credential": phone.id.hex(), "card": card.id.hex()}


def _pack(staff_id: UUID) -> dict[str, str]:
    """A pack whose second version waits for approval; nothing is left of the first."""
    pack = Offer(id=new_id(), code="waiting", kind="pack")
    version = OfferVersion(
        id=new_id(),
        offer_id=pack.id,
        version=2,
        name="Waiting",
        price=500,
        currency="TWD",
        cups=10,
        expiry_mode="never",
        sale_starts_at=clock.now(),
        proposed_by_id=staff_id,
        proposed_at=clock.now(),
    )
    with transaction():
        db.session.add(pack)
        db.session.flush()
        db.session.add(version)
        return {"pack_id": str(pack.id), "number": "2"}


def _plan(club: Club, staff_id: UUID) -> dict[str, str]:
    """A plan whose second version waits for approval, and where the monthly one shall lead."""
    plan = Offer(id=new_id(), code="waiting-plan", kind="plan")
    version = OfferVersion(
        id=new_id(),
        offer_id=plan.id,
        version=2,
        name="Waiting",
        price=499,
        currency="TWD",
        cups=10,
        expiry_mode="lapse",
        sale_starts_at=clock.now(),
        proposed_by_id=staff_id,
        proposed_at=clock.now(),
    )
    leads = PlanMigration(
        id=new_id(),
        from_version_id=club.world.offers["monthly"][1],
        to_version_id=version.id,
        from_at=clock.now() + timedelta(days=40),
        proposed_by_id=staff_id,
        proposed_at=clock.now(),
    )
    schedule = PlanSchedule(
        offer_version_id=version.id,
        every_count=1,
        every_unit="month",
        grace_days=28,
        dunning_days=[],
    )
    with transaction():
        for row in (plan, version, schedule, leads):
            db.session.add(row)
            db.session.flush()
        return {"plan_id": str(plan.id), "migration_id": str(leads.id)}


def _of_finance(world: World, staff_id: UUID) -> dict[str, str]:
    """A month, an account, an entry, and what two people of finance decide on."""
    with transaction():
        entry = db.session.scalars(select(Entry).limit(1)).one()
        legs = [
            Leg(world.stores["A"], account, side, 70)  # type: ignore[arg-type]
            for account, side in (("6221", "debit"), ("1111", "credit"))
        ]
        proposed = adjusting.propose(
            book_date=entry.book_date,
            currency="TWD",
            reason="A loss.",
            lines=legs,
            by_id=staff_id,
            now=clock.now(),
        )
        closed = {"state": "closed", "closed_at": clock.now(), "digest": bytes(32)}
        db.session.add(BookMonth(first_on=LONG_AGO, state="soft", version=1))
        db.session.add(BookMonth(first_on=LONGER_AGO, version=1, **closed))
        db.session.flush()
        wish = Reopening(
            id=new_id(),
            first_on=LONGER_AGO,
            version=1,
            reason="Late refunds.",
            proposed_by_id=staff_id,
            proposed_at=clock.now(),
        )
        db.session.add(wish)
        invoice_id = invoicing.issue(
            member_id=entry.member_id,
            store_id=world.stores["A"],
            source="order",
            source_id=new_id(),
            currency="TWD",
            lines=[InvoiceLine("Cups", 1, 500, 476, 24)],
            buyer=None,
            sold_at=clock.now(),
            now=clock.now(),
        )
        return {
            "adjustment_id": str(proposed.id),
            "code": "6221",
            "entry_id": str(entry.id),
            "invoice_id": str(invoice_id),
            "owner_id": str(entry.member_id),
            "period": f"{LONG_AGO:%Y-%m}",
            "reopening_id": str(wish.id),
            "store_id": str(world.stores["A"]),
        }


def _gifts(club: Club, member_id: UUID) -> dict[str, str]:
    """A gift on its way, the token of one that is gone, and somebody who is blocked."""
    offer_id, blocked = club.world.offers["eleven"][0], club.world.add_member()
    row = GiftBlock(member_id=member_id, blocked_id=blocked, blocked_at=clock.now())
    with transaction():
        db.session.add(row)
        given = vouchers.give(giver_id=member_id, offer_id=offer_id, cups=1, now=clock.now())
        (block,) = vouchers.list_blocks(member_id=member_id, limit=1, after=None)
        return {
            "gift": str(given.id),
            "token": gift_token.make(new_id()),
            "block_id": str(block.id),
        }


def _refund(club: Club, member_id: UUID) -> dict[str, str]:
    """A refund that came to nothing, as a member sees it and as finance does."""
    row = Refund(
        id=new_id(),
        payer_id=member_id,
        purpose="voucher_order",
        purpose_id=new_id(),
        store_id=club.world.stores["A"],
        reason="request",
        basis="list_price",
        currency="TWD",
        gross=0,
        kept=0,
        fee=0,
        payable=0,
        status="paid",
        refunded_at=clock.now(),
        paid_at=clock.now(),
    )
    with transaction():
        db.session.add(row)
        return {"refund_id": str(row.id), "any_refund_id": str(row.id)}


def _cash_back(till: Till, member_id: UUID) -> UUID:
    """Cash that waits to be handed out, at whichever till."""
    purpose_id = new_id()
    with transaction():
        paid = payments.take_cash(
            member_id=member_id,
            purpose="voucher_order",
            purpose_id=purpose_id,
            amount=500,
            currency="TWD",
            shift_id=till.shift_id,
            is_told=False,
            now=clock.now(),
        )
        return payments.begin_repayment(
            payment_id=paid.id,
            purpose="refund",
            purpose_id=purpose_id,
            amount=500,
            now=clock.now(),
        ).id


def _member_with_phone(club: Club) -> UUID:
    bob = club.world.add_member()
    with transaction():
        row, key = keys.make(bob)
        db.session.add(row)
        db.session.get_one(Member, bob).phone_sealed = secrets.seal(key, BOBS_PHONE.encode())
    return bob


def _subscription(club: Club) -> UUID:
    """A plan with everything that a member may do with one: it may be paused, and shared."""
    club.add_plan("restful", most_pause_days=60, sharers=2)
    return club.subscribe("restful")


def _places(club: Club, shared_id: UUID) -> dict[str, str]:
    """A place in Alice's plan, hers in a plan of Carol's, and the token of one that is gone."""
    alice, carol = club.member_id, club.world.add_member()
    carols = replace(club, member_id=carol)
    places = []
    for owner, plan_id, other in (
        (alice, shared_id, carol),
        (carol, carols.subscribe("restful", card=None), alice),
    ):
        with transaction():
            offered = subs.invite(member_id=owner, subscription_id=plan_id, now=clock.now())
            token = subs.place_of(offered).token
            assert token is not None
            places.append(subs.join(member_id=other, token=token, now=clock.now()).id)
    in_hers, of_hers = map(str, places)
    return {"sharer_id": in_hers, "place_id": of_hers, "invitation": sharing_token.make(new_id())}


def _card(member_id: UUID) -> UUID:
    card = Card(
        id=new_id(),
        member_id=member_id,
        provider_ref=f"pm_{new_id().hex}",
        brand="visa",
        last4="4242",
        saved_at=clock.now(),
    )
    with transaction():
        db.session.add(card)
    return card.id


def _staff(role: str) -> UUID:
    person = Staff(id=new_id(), number=f"desk-{role}", name=role, role=role)
    with transaction():
        db.session.add(person)
    return person.id


def _order(club: Club, member_id: UUID) -> UUID:
    wanted = [{"offer_id": club.world.offers["eleven"][0], "quantity": 2}]
    with transaction():
        placed = vouchers.place_order(member_id=member_id, items=wanted, now=clock.now())
        return placed.order.id
