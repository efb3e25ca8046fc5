"""A chain that sells packs through the real gateways, its members, and everything they may do.

Every act may die on its way and be repeated with its key, as an app or a till does it. What was
answered is kept (`promised`), since it must never be gone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from flask import Flask
from sqlalchemy import func, select
from structlog.testing import capture_logs
from structlog.typing import EventDict

import invoicing
import payments
import redemption
import vouchers
import worker  # its duties, and with it every subscriber
from chain.models import StoreOwner
from kernel import clock, idempotency, secrets
from kernel.db import db
from kernel.errors import Refusal, Unavailable
from kernel.idempotency import Key
from kernel.ids import new_id
from kernel.queue import Duty
from kernel.transaction import again, transaction
from members import keys
from members.models import Member
from payments.models import Payment, Repayment
from payments.stripe_gateway import StripeGateway
from payments.terminal_gateway import TerminalGateway
from redemption.errors import TopUpDue
from redemption.scan import Asked, Scan
from redemption.service.redeem import redeem
from tests.events import signed
from tests.fakes import Crash
from tests.faults.dying import Death, Fate, mortal
from tests.faults.sandbox_here import Document, SandboxHere
from tests.sandbox.provider import SECRET_KEY
from tests.together import together
from tests.world import Till, World, small_world
from vouchers import AskedLot, Wish, gift_token
from vouchers.models import Gift, Lot, Order, Refund
from vouchers.service.counter import AtTill, Method
from vouchers.service.order import Wanted

T = TypeVar("T")
S = TypeVar("S", bound="Stage")

PACKS: dict[str, dict[str, Any]] = {
    "plain": {"member_limit": 6},
    "listed": {
        "price": 500, "cups": 10, "bonus_cups": 0, "list_price": 60, "refund_basis": "list_price",
        "expiry_mode": "top_up", "expires_after_count": 30, "expires_after_unit": "day",
    },
    "bonus": {
        "price": 480, "cups": 12, "bonus_cups": 2, "list_price": 55, "bonus_after_count": 10,
        "bonus_after_unit": "day", "bonus_use_bp": 6000, "refund_fee_bp": 300,
    },
    "returning": {
        "price": 299, "cups": 7, "bonus_cups": 0, "expiry_mode": "refund", "refund_fee_bp": 300,
        "expires_after_count": 20, "expires_after_unit": "day", "gift_unclaimed": "refund",
    },
    "lapsing": {
        "price": 333, "cups": 7, "bonus_cups": 0, "expiry_mode": "lapse",
        "expires_after_count": 9, "expires_after_unit": "day",
    },
    "value": {
        "price": 200, "cups": 3, "bonus_cups": 0, "vat_timing": "redemption", "covers_up_to": 100,
    },
}  # fmt: skip
"""The packs that are sold: one of each kind of terms that moves money in another way."""

CARDS = {
    "good": "pm_card_visa",
    "declined": "pm_card_chargeDeclined",
    "lost": "pm_card_chargeDeclinedLostCard",
    "wants holder": "pm_card_authenticationRequired",
    "refunded later": "pm_card_pendingRefund",
    "refund fails": "pm_card_refundFail",
    "disputed": "pm_card_createDispute",
    "asked about": "pm_card_createDisputeInquiry",
}
BY_HOLDER = "by holder"

_FAR = timedelta(days=240)


@dataclass(frozen=True)
class Died:
    """The process died on the way, or the provider was silent: whoever asked has no answer."""


@dataclass
class Stage:
    """Who is there, what they did, and what they were told."""

    app: Flask
    sandbox: SandboxHere
    world: World
    fate: Fate
    log: list[EventDict]
    members: list[UUID] = field(default_factory=list)
    tills: list[Till] = field(default_factory=list)
    promised: list[tuple[type[Any], UUID]] = field(default_factory=list)
    heard: set[str] = field(default_factory=set)
    never_told: set[str] = field(default_factory=set)
    numbered_until: date = field(default_factory=lambda: clock.now().date())

    @property
    def duties(self) -> Mapping[str, Duty]:
        """What the background does here, by the names of the jobs."""
        return DUTIES

    def furnish(self) -> None:
        """Put everything on sale, and let members, clerks and numbers of invoices be there."""
        for code, terms in PACKS.items():
            self.world.add_offer(code, **terms)
        self.world.add_product("dear", list_price=75)
        for _ in range(3):
            self.join()
        self.tills = [self.world.add_till(code, role="manager") for code in ("A", "B")]
        self.give_numbers(until=self.world.now + _FAR)

    def give_numbers(self, *, until: datetime) -> None:
        """Let there be numbers for the invoices of every seller, until then."""
        month = invoicing.policy.filing_period(self.numbered_until)
        while month <= until.date():
            _give_numbers(month, now=self.world.now)
            month = _later(month)
        self.numbered_until = month

    def join(self) -> UUID:
        """Somebody becomes a member, with a phone."""
        member_id = self.world.add_member()
        _give_phone(member_id, f"+886912{len(self.members):06}")
        self.members.append(member_id)
        return member_id

    # Doing things, once.

    def act(self, work: Callable[[], T], death: Death | None = None) -> T | Died | Refusal:
        """Do something that may be refused, or die on the way."""
        try:
            with self.fate.meeting(death):
                return work()
        except (Crash, Unavailable):
            return Died()
        except Refusal as refusal:
            return refusal
        finally:
            db.session.remove()

    def once(self, key: Key, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Work that is one transaction and keeps its answer in it, as the edge does it."""

        def claimed() -> dict[str, Any]:
            now = clock.now()
            with transaction():
                known = idempotency.claim(key, now=now)
                if known is None:
                    known = work()
                    assert idempotency.answer(key, known)
                return known

        return again(claimed)

    def insist(
        self, work: Callable[[], T], death: Death | None, *, again: bool
    ) -> T | Died | Refusal:
        """Act, and where it died or `again` says so, once more with the same key.

        What was answered before is answered the same again.
        """
        first = self.act(work, death)
        if not again and not isinstance(first, Died):
            return first
        second = self.act(work)
        if isinstance(first, dict):
            assert first == second, "the same key was answered in another way"
        return second

    def key(self, principal_id: UUID) -> Key:
        """A fresh one of somebody, for a request that stays the same."""
        return Key(principal_id, new_id().hex, b"the same")

    # What members and clerks do.

    def order(self, member: UUID, wanted: dict[str, int], death: Death | None, *, again: bool):
        items = [
            Wanted(offer_id=self.world.offers[code][0], quantity=n) for code, n in wanted.items()
        ]
        key = self.key(member)

        def place() -> dict[str, Any]:
            placed = vouchers.place_order(member_id=member, items=items, now=clock.now())
            return {"id": str(placed.order.id)}

        return self._promise(Order, self.insist(lambda: self.once(key, place), death, again=again))

    def pay(self, order: Order, card: str | None, death: Death | None, *, again: bool) -> object:
        """With a card; by its holder in the provider's form; or (None) what costs nothing."""
        by_holder = card == BY_HOLDER
        key = self.key(order.member_id)

        def pay() -> Payment | None:
            return vouchers.pay(
                member_id=order.member_id,
                order_id=order.id,
                payment_method=None if card is None or by_holder else CARDS[card],
                by_holder=by_holder,
                save_card=False,
                key=key,
                now=clock.now(),
            ).payment

        return self._promise_payment(self.insist(pay, death, again=again))

    def sell(
        self, till: Till, member: UUID, wanted: dict[str, int], method: Method,
        death: Death | None, *, again: bool,
    ) -> object:  # fmt: skip
        items = [
            Wanted(offer_id=self.world.offers[code][0], quantity=n) for code, n in wanted.items()
        ]
        key = self.key(till.device_id)

        def sell() -> Payment | None:
            return vouchers.sell_at_counter(
                till=_at(till),
                buyer_id=lambda: member,
                items=items,
                method=method,
                invoice_to=None,
                key=key,
                now=clock.now(),
            ).payment

        return self._promise_payment(self.insist(sell, death, again=again))

    def pay_at_counter(
        self, till: Till, order: Order, method: Method, death: Death | None, *, again: bool
    ) -> object:
        key = self.key(till.device_id)

        def pay() -> Payment | None:
            return vouchers.pay_at_counter(
                till=_at(till), order_id=order.id, method=method, key=key, now=clock.now()
            ).payment

        return self._promise_payment(self.insist(pay, death, again=again))

    def redeem(self, till: Till, member: UUID, product: str, cups: int, *, again: bool) -> object:
        """Scan; where there is something to pay besides, collect it and scan once more."""
        top_up = 0
        for _ in range(2):
            scan = self._scan(till, member, product, cups, top_up)
            given = self.act(lambda: redeem(scan=scan, now=clock.now()))  # noqa: B023
            if not isinstance(given, TopUpDue):
                break
            top_up = int(given.facts["due"])
        if isinstance(given, redemption.Redeemed):
            self.promised.append((redemption.models.Redemption, UUID(given.id)))
            if again:
                repeated = self.act(lambda: redeem(scan=scan, now=clock.now()))
                assert isinstance(repeated, redemption.Redeemed), repeated
                assert repeated.id == given.id
        return given

    def void(self, redeemed_id: UUID, till: Till, death: Death | None) -> object:
        def void() -> str:
            with transaction():
                redemption.void(
                    redemption_id=redeemed_id, store_id=till.store_id, staff_id=till.staff_id,
                    role="manager", now=clock.now(),
                )  # fmt: skip
            return "voided"

        return self.insist(lambda: again(void), death, again=False)

    def give(self, lot: Lot, cups: int, days: int, death: Death | None, *, again: bool) -> object:
        """Give cups of the offer that a lot is of; bonus cups, and periods, are of that lot."""
        key = self.key(lot.member_id)
        is_named = lot.is_bonus or lot.prepays_plan
        of: dict[str, UUID] = {"lot_id": lot.id} if is_named else {"offer_id": lot.offer_id}

        def give() -> dict[str, Any]:
            made = vouchers.give(
                giver_id=lot.member_id, cups=cups, days=days, now=clock.now(), **of
            )
            return {"id": str(made.id)}

        return self._promise(Gift, self.insist(lambda: self.once(key, give), death, again=again))

    def claim(self, gift_id: UUID, member: UUID, death: Death | None, *, again: bool) -> object:
        key = self.key(member)

        def claim() -> dict[str, Any]:
            token = gift_token.make(gift_id)
            made = vouchers.claim(member_id=member, token=token, now=clock.now())
            return {"lots": [str(lot.id) for lot in made.lots]}

        claimed = self.insist(lambda: self.once(key, claim), death, again=again)
        if isinstance(claimed, dict):
            self.promised += [(Lot, UUID(lot_id)) for lot_id in claimed["lots"]]
        return claimed

    def withdraw(self, gift: Gift, death: Death | None, *, again: bool) -> object:
        key = self.key(gift.giver_id)

        def withdraw() -> dict[str, Any]:
            done = vouchers.withdraw(giver_id=gift.giver_id, gift_id=gift.id, now=clock.now())
            return {"status": done.status}

        return self.insist(lambda: self.once(key, withdraw), death, again=again)

    def decline(self, gift: Gift, member: UUID, death: Death | None) -> object:
        key = self.key(member)

        def decline() -> dict[str, Any]:
            token = gift_token.make(gift.id)
            done = vouchers.decline(member_id=member, token=token, block=False, now=clock.now())
            return {"status": done.status}

        return self.insist(lambda: self.once(key, decline), death, again=False)

    def refund(
        self, order: Order, cups_of: tuple[Lot, int] | None, death: Death | None, *,
        again: bool, by_finance: bool,
    ) -> object:  # fmt: skip
        """Give back what is unused of an order, or so many cups of a lot."""
        if cups_of is not None:
            lot, cups = cups_of
            wish = Wish(lot.member_id, lots=[AskedLot(lot_id=lot.id, cups=cups)])
        else:
            wish = Wish(None if by_finance else order.member_id, order_id=order.id)
        key = self.key(order.member_id)

        def refund() -> dict[str, Any]:
            made = vouchers.refund(wish, asked_by_id=order.member_id, now=clock.now())
            return {"ids": [str(one.id) for one in made]}

        refunded = self.insist(lambda: self.once(key, refund), death, again=again)
        if isinstance(refunded, dict):
            self.promised += [(Refund, UUID(one)) for one in refunded["ids"]]
        return refunded

    def retry_refund(self, refund_id: UUID, death: Death | None, *, otherwise: bool) -> object:
        """Finance has the provider try again, or pays in another way."""

        def retry() -> str:
            with transaction():
                if otherwise:
                    vouchers.settle_otherwise(
                        refund_id=refund_id, by_id=self.tills[0].staff_id, reference="TT-1",
                        now=clock.now(),
                    )  # fmt: skip
                else:
                    vouchers.retry(refund_id=refund_id, now=clock.now())
            return "done"

        return self.insist(lambda: again(retry), death, again=False)

    def hand_out(self, repayment_id: UUID, till: Till, death: Death | None) -> object:
        def hand_out() -> str:
            with transaction():
                payments.hand_out(
                    repayment_id=repayment_id, shift_id=till.shift_id, now=clock.now()
                )
            return "handed out"

        return self.insist(lambda: again(hand_out), death, again=True)

    # What comes from outside, and what the background does.

    def untold(self) -> list[Document]:
        """Events that nobody has brought yet, the oldest first."""
        done = self.heard | self.never_told
        return [event for event in self.sandbox.all("event") if event["id"] not in done]

    def tell(self, events: Sequence[Document], copies: int = 1) -> None:
        """Bring events to the inbox, so many copies of each at once."""
        for event in events:
            works = [_receiving(event)] * copies
            if copies == 1:
                again(works[0])
            else:
                together(self.app, works, in_transactions=False)
            self.heard.add(event["id"])

    def do(self, duty: str, death: Death | None = None) -> object:
        """Let a worker do a duty, once."""
        return self.act(_job(duty), death)

    def pass_time(self, by: timedelta) -> None:
        clock.advance(by)
        self.world.now = clock.now()

    # What there is.

    def all(self, model: type[T], *which: Any) -> list[T]:
        """Rows in the order of their ids."""
        with transaction():
            return list(db.session.scalars(select(model).where(*which).order_by(model.id)))  # type: ignore[attr-defined]

    def count(self, model: type[Any], *which: Any) -> int:
        with transaction():
            counted = select(func.count()).select_from(model).where(*which)
            return db.session.scalars(counted).one()

    def _scan(self, till: Till, member: UUID, product: str, cups: int, top_up: int) -> Scan:
        code = self.world.code(self.world.add_credential(member), at=clock.now())
        return Scan(
            shift_digest=secrets.digest(till.token),
            code=code,
            items=(Asked(self.world.products[product], cups),),
            key=new_id().hex,
            fingerprint=code.encode(),
            top_up=top_up,
        )

    def _promise(self, model: type[Any], answer: object) -> object:
        if isinstance(answer, dict):
            self.promised.append((model, UUID(answer["id"])))
        return answer

    def _promise_payment(self, answer: object) -> object:
        if isinstance(answer, Payment):
            self.promised.append((Payment, answer.id))
        return answer


@contextmanager
def on_stage(
    app: Flask, sandbox: SandboxHere, clock_file: Path, file: Path, kind: type[S]
) -> Iterator[S]:
    """Set everything up on an empty database and a fresh sandbox, at the machine's present."""
    clock_file.unlink(missing_ok=True)
    sandbox.begin(file)
    cards = StripeGateway(api_key=SECRET_KEY, base=sandbox.url)
    terminal = TerminalGateway(base=sandbox.url, api_key=SECRET_KEY)
    fate = Fate()
    with capture_logs() as log, mortal(fate, cards=cards, terminal=terminal):
        stage = kind(app, sandbox, small_world(clock.now()), fate, log)
        stage.furnish()
        yield stage


def _give_phone(member_id: UUID, phone: str) -> None:
    with transaction():
        row, key = keys.make(member_id)
        db.session.add(row)
        member = db.session.get_one(Member, member_id)
        member.phone_sealed = secrets.seal(key, phone.encode())


def _give_numbers(first_on: date, *, now: datetime) -> None:
    with transaction():
        owners = list(db.session.scalars(select(StoreOwner.legal_entity_id)))
        for seller, entity_id in enumerate(owners):
            invoicing.add_range(
                legal_entity_id=entity_id, seller_tax_id="04595257", seller_address="臺北市",
                first_on=first_on, prefix="JB", first_number=seller * 1_000_000,
                last_number=seller * 1_000_000 + 999_999, by_id=new_id(), now=now,
            )  # fmt: skip


def _later(first_on: date) -> date:
    """When the next filing period begins: each has two months."""
    at = first_on.month + 1
    return date(first_on.year + at // 12, at % 12 + 1, 1)


def _receiving(event: Document) -> Callable[[], bool]:
    def receive() -> bool:
        now = clock.now()
        body, header = signed(event, at=now)
        with transaction():
            return payments.receive(body=body, signature=header, now=now)

    return receive


def _job(named: str) -> Callable[[], None]:
    module, _, name = named.rpartition(".")
    job: Callable[[], None] = getattr(import_module(module), name)
    return job


def _at(till: Till) -> AtTill:
    return AtTill(till.shift_id, till.device_id, till.store_id, till.staff_id)


_OF_THE_BOOKS = ("ledger.jobs", "ledger.proof", "ledger.seal", "subs.", "members.", "chain.")
DUTIES = {duty.job: duty for duty in worker.DUTIES if not duty.job.startswith(_OF_THE_BOOKS)}
"""What the background does about packs and their money; what only reads the books is left out."""

OPEN_REPAYMENTS = Repayment.status.in_(("intent", "processing"))
