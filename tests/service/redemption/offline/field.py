"""Shops without a network: tills with keys and logs, phones with capsules, and what came of it."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, update

import chain
from chain.models import Device, Store
from examples.offline.till import Log
from examples.offline.till import Till as OfflineTill
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from redemption import token
from redemption.models import Capsule, OfflineItem
from redemption.offline.log import FIRST, hash_of
from redemption.offline.outcome import Outcome
from redemption.offline.uploading import Line, upload
from redemption.service.capsules import Filled, filled
from tests.world import Till, World
from vouchers.models import Lot

Written = dict[str, str]


class Branch:
    """A till that has lost its network, with who works there."""

    def __init__(self, world: World, store: str, **staff: object) -> None:
        self.world = world
        self.till: Till = world.add_till(store, **staff)
        self.key = Ed25519PrivateKey.generate()
        with transaction():
            group = db.session.scalar(
                select(Store.offline_group).where(Store.id == self.till.store_id)
            )
            db.session.execute(
                update(Device)
                .where(Device.id == self.till.device_id)
                .values(public_key=self.key.public_key().public_bytes_raw())
            )
        keys = {one.id: one.public_key for one in token.list_capsule_keys(now=world.now)}
        log = Log(str(self.till.device_id), self.key)
        self.offline = OfflineTill(log, group or 1, keys)

    def enrol_again(self, *, is_fresh: bool, now: datetime) -> None:
        """Get another key; `is_fresh` software does not know the log of before."""
        self.key = Ed25519PrivateKey.generate()
        with transaction():
            made = chain.re_enrol_device(
                device_id=self.till.device_id, staff_id=self.till.staff_id, role="admin", now=now
            )
            enrolled = chain.enrol_device(
                code=made.code,
                public_key=self.key.public_key().public_bytes_raw(),
                address="192.0.2.1",
                now=now,
            )
            assert isinstance(enrolled, chain.Enrolled)
        log = self.offline.log
        log.key = self.key
        if is_fresh:
            log.number, log.last_hash = 0, FIRST.hex()

    def serve(
        self,
        capsule: Filled,
        cups: int = 1,
        *,
        after: float = 0,
        product: str = "latte",
        staff: UUID | None = None,
    ) -> Written:
        """Serve so many minutes after the world's now, as the reference till does."""
        at = self.world.now + timedelta(minutes=after)
        return self.offline.serve(
            show(capsule, at),
            cups=cups,
            product=str(self.world.products[product]),
            staff=str(staff or self.till.staff_id),
            at=at,
        )

    def write(self, shown: str, cups: int = 1, *, at: datetime, **said: object) -> Written:
        """Write an item down that the reference till would not have served."""
        return self.offline.log.write(
            capsule=shown,
            cups=cups,
            product=str(said.get("product", self.world.products["latte"])),
            staff=str(said.get("staff", self.till.staff_id)),
            at=at,
        )

    def sign(self, text: str) -> Written:
        """Any text, signed as an item."""
        signature = urlsafe_b64encode(self.key.sign(hash_of(text))).rstrip(b"=").decode()
        return {"item": text, "signature": signature}


def fill(world: World, member_id: UUID, cups: int = 1, *, at: datetime | None = None) -> Filled:
    """A capsule on a member's phone, from now or another moment on, for a day."""
    issued_at = at or world.now
    credential_id = world.add_credential(member_id)
    with transaction():
        made = Capsule(
            serial=new_id().bytes[8:],
            member_id=member_id,
            credential_id=credential_id,
            cups=cups,
            store_group=1,
            key_id=token.id_of_window(token.window_at(issued_at)),
            issued_at=issued_at,
            ends_at=(issued_at + timedelta(days=1)).replace(microsecond=0),
        )
        db.session.add(made)
        db.session.flush()
        found = filled(made)
        db.session.expunge_all()
    return found


def show(capsule: Filled, at: datetime) -> str:
    """The text that a phone shows of it at a moment."""
    return token.show_capsule(capsule=capsule.sealed, seed=capsule.seed, step=token.step_at(at))


def lines(written: Iterable[Written]) -> list[Line]:
    """What was written down, as the service takes it."""
    return [Line(one["item"], urlsafe_b64decode(one["signature"] + "==")) for one in written]


def bring(world: World, *written: Written, after: float = 60) -> list[Outcome]:
    """Upload items so many minutes after the world's now."""
    return upload(lines=lines(written), now=world.now + timedelta(minutes=after))


def told(outcomes: Sequence[Outcome]) -> list[tuple[str, int, str | None]]:
    """What each answer says: the outcome, the cups that are borne, and why."""
    return [(one.outcome, one.cups_borne, one.reason) for one in outcomes]


def items() -> list[OfflineItem]:
    """All items as they stand, in the order in which they were served."""
    with transaction():
        found = db.session.scalars(
            select(OfflineItem).order_by(OfflineItem.served_at, OfflineItem.device_id)
        ).all()
        db.session.expunge_all()
        return list(found)


def left(member_id: UUID) -> int:
    """The cups that are left in a wallet."""
    with transaction():
        lots = db.session.scalars(select(Lot).where(Lot.member_id == member_id)).all()
        return sum(lot.units - lot.used for lot in lots)
