"""Alice has a plan that two others may share; Bob and Carol are such others."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

import redemption
import redemption.jobs
import subs
from kernel import outbox
from kernel.db import db
from kernel.outbox import Outbox
from kernel.transaction import transaction
from redemption.answer import Redeemed
from redemption.service.redeem import redeem
from subs import Place
from subs.models import Sharer
from subs.service import sharing
from subs.service.rows import lock
from tests.club import Club
from tests.world import Till


@dataclass
class Family:
    """Short ways to act, each a committed transaction at the clock's now."""

    club: Club
    plan: UUID
    bob: UUID
    carol: UUID
    till: Till

    @property
    def alice(self) -> UUID:
        return self.club.member_id

    def invite(self) -> Place:
        with transaction():
            offered = subs.invite(
                member_id=self.alice, subscription_id=self.plan, now=self.club.now
            )
            return subs.place_of(offered)

    def join(self, offered: Place, *, by: UUID | None = None) -> Sharer:
        assert offered.token is not None
        with transaction():
            return subs.join(member_id=by or self.bob, token=offered.token, now=self.club.now)

    def welcome(self, *, by: UUID | None = None) -> Sharer:
        """Bob shares the plan, if nobody else is named."""
        return self.join(self.invite(), by=by)

    def leave(self, place: Sharer, *, by: UUID | None = None) -> None:
        with transaction():
            subs.leave(member_id=by or self.bob, sharer_id=place.id, now=self.club.now)

    def remove(self, place_id: UUID, *, by: UUID | None = None) -> None:
        with transaction():
            subs.remove(
                member_id=by or self.alice,
                subscription_id=self.plan,
                sharer_id=place_id,
                now=self.club.now,
            )

    def places(self) -> list[tuple[str, bool]]:
        """What the owner sees: of each place its status, and whether there is a link."""
        with transaction():
            found = subs.list_places(
                member_id=self.alice, subscription_id=self.plan, now=self.club.now
            )
        return [(place.status, place.token is not None) for place in found.items]

    def shared(self, by: UUID | None = None) -> list[subs.SharedPlan]:
        with transaction():
            return subs.list_shared_plans(
                member_id=by or self.bob, before=None, limit=9, now=self.club.now
            )

    def credential(self, *, by: UUID | None = None) -> bytes:
        with transaction():
            return redemption.issue_shared_credential(
                holder_id=by or self.bob, subscription_id=self.plan, now=self.club.now
            ).id

    def show(self, credential: bytes, *, step: int = 0) -> str:
        return self.club.world.code(credential, at=self.club.now, step=step)

    def collect(self, code: str, cups: int = 1, *, till: Till | None = None) -> Redeemed:
        """Hand over cups to whoever shows this code, and let rooms hear of it."""
        scan = self.club.world.scan(till or self.till, code, cups)
        redeemed = redeem(scan=scan, now=self.club.now)
        outbox.drain()
        return redeemed

    def told(self, member_id: UUID) -> list[str]:
        """Which notices a member was promised, in order."""
        rows = select(Outbox).where(Outbox.topic == "member.notice").order_by(Outbox.id)
        with transaction():
            facts = [row.facts for row in db.session.scalars(rows)]
        return [one["notice"] for one in facts if one["to"] == str(member_id)]

    def set_places(self, most: int) -> None:
        """Let the plan have so many places, as a change of its terms does."""
        with transaction():
            sharing.let_go({lock(self.plan): most}, now=self.club.now)


@pytest.fixture
def family(club: Club) -> Family:
    club.add_plan("family", sharers=2)
    return make_family(club, "family")


def make_family(club: Club, code: str, **how: Any) -> Family:
    """The family of a plan with this code."""
    world = club.world
    return Family(
        club,
        club.subscribe(code, **how),
        world.add_member(),
        world.add_member(),
        world.add_till("A"),
    )
