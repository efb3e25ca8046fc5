"""Who buys and collects: where somebody lives, what they drink, and how often they come."""

from dataclasses import dataclass
from datetime import datetime
from random import Random
from uuid import UUID

from bench.trade.chain import FAR, Chain, Sold
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from members.models import Member
from redemption import token
from redemption.models import Credential
from vouchers.models import Wallet

_NEIGHBOURS = 5
_AT_HOME = 0.7


@dataclass(frozen=True, slots=True)
class Shopper:
    """`home` and `near` are numbers of stores, `drink` of a drink; `keenness` visits a day."""

    id: UUID
    credential_id: bytes
    seed: bytes
    home: int
    near: tuple[int, ...]
    drink: int
    keenness: float
    plan: Sold | None
    daily: Sold | None

    def code(self, now: datetime) -> str:
        """What the phone shows now."""
        step = token.step_at(now)
        return token.make(credential_id=self.credential_id, seed=self.seed, step=step)

    def goes_to(self, chance: Random) -> int:
        """The store of this visit: mostly the one at home."""
        if not self.near or chance.random() < _AT_HOME:
            return self.home
        return chance.choice(self.near)


def join(chain: Chain, *, members: int, chance: Random, now: datetime) -> list[Shopper]:
    """Let all members join, each with an empty wallet and a phone."""
    with transaction():
        return [_joined(number, chain, chance, now) for number in range(members)]


def _joined(number: int, chain: Chain, chance: Random, now: datetime) -> Shopper:
    member_id = new_id()
    db.session.add(
        Member(id=member_id, phone_index=member_id.bytes, phone_sealed=b"", joined_at=now)
    )
    db.session.add(Wallet(member_id=member_id))
    db.session.flush()
    credential = Credential(
        id=token.new_credential_id(), member_id=member_id, issued_at=now, ends_at=FAR
    )
    db.session.add(credential)
    home = chance.randrange(1, len(chain.stores))
    plans, daily = chain.of("plan"), chain.of("membership", "unlimited")
    return Shopper(
        id=member_id,
        credential_id=credential.id,
        seed=token.seed_of(credential.id),
        home=home,
        near=_near(home, len(chain.stores) - 1),
        drink=chance.randrange(len(chain.drinks)),
        keenness=chance.uniform(0.1, 0.5),
        plan=chance.choice(plans) if number % 4 == 1 else None,
        daily=chance.choice(daily) if number % 15 == 2 else None,
    )


def _near(home: int, stores: int) -> tuple[int, ...]:
    """The stores around one, on a ring road of all of them."""
    steps = (1, -1, 2, -2, 3, -3)[:_NEIGHBOURS]
    around = [1 + (home - 1 + step) % stores for step in steps]
    return tuple(dict.fromkeys(store for store in around if store != home))
