"""More people around a plan: who shares it, who is given it, whose terms end, whose clock runs.

Members act by their own clocks, which may be ahead of everybody's, as requests of theirs do.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select

import members
import redemption
import subs
from chain.models import Staff
from kernel import clock, secrets
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import again, transaction
from members import in_time_of
from redemption.scan import Asked, Scan
from redemption.service.redeem import redeem
from subs import sharing_token
from subs.models import PlanMigration, PlanSchedule, Sharer, Subscription
from subs.service import migration
from subs.service.terms import Schedule, propose_plan_version
from tests.faults.dying import Death
from tests.faults.plan_stage import PlanStage
from tests.world import Till
from vouchers.models import Gift, Lot, OfferVersion, OfferVersionProduct, Order
from vouchers.offer_terms import OfferTerms
from vouchers.service import offer

_ROUND_A_YEAR = timedelta(days=430)


@dataclass
class PlanCompany(PlanStage):
    """A chain whose plans are shared, given and left behind."""

    desk: list[UUID] = field(default_factory=list)

    def furnish(self) -> None:
        super().furnish()
        people = [Staff(id=new_id(), number=name, name=name, role="admin") for name in ("1", "2")]
        with transaction():
            db.session.add_all(people)
        self.desk = [one.id for one in people]

    # Everything that a member does is done by the member's clock.

    def subscribe(
        self, member: UUID, code: str, card: str | None, death: Death | None, *, again: bool
    ) -> object:
        with in_time_of(member):
            return super().subscribe(member, code, card, death, again=again)

    def provide(self, member: UUID, code: str, periods: int, death: Death | None) -> object:
        with in_time_of(member):
            return super().provide(member, code, periods, death)

    def start_prepaid(
        self, lot: Lot, card_id: UUID | None, death: Death | None, *, again: bool
    ) -> object:
        with in_time_of(lot.member_id):
            return super().start_prepaid(lot, card_id, death, again=again)

    def ask(
        self, verb: Callable[..., object], one: Subscription, death: Death | None, **how: Any
    ) -> object:
        with in_time_of(one.member_id):
            return super().ask(verb, one, death, **how)

    def change(
        self, one: Subscription, code: str, at: Any, death: Death | None, *, again: bool
    ) -> object:
        with in_time_of(one.member_id):
            return super().change(one, code, at, death, again=again)

    def use_card(self, one: Subscription, card: str, death: Death | None, *, again: bool) -> object:
        with in_time_of(one.member_id):
            return super().use_card(one, card, death, again=again)

    def redeem(self, till: Till, member: UUID, product: str, cups: int, *, again: bool) -> object:
        with in_time_of(member):
            return super().redeem(till, member, product, cups, again=again)

    def give(self, lot: Lot, cups: int, days: int, death: Death | None, *, again: bool) -> object:
        with in_time_of(lot.member_id):
            return super().give(lot, cups, days, death, again=again)

    def claim(self, gift_id: UUID, member: UUID, death: Death | None, *, again: bool) -> object:
        with in_time_of(member):
            return super().claim(gift_id, member, death, again=again)

    def withdraw(self, gift: Gift, death: Death | None, *, again: bool) -> object:
        with in_time_of(gift.giver_id):
            return super().withdraw(gift, death, again=again)

    def refund(
        self, order: Order, cups_of: tuple[Lot, int] | None, death: Death | None, *,
        again: bool, by_finance: bool,
    ) -> object:  # fmt: skip
        with in_time_of(order.member_id if cups_of is None else cups_of[0].member_id):
            return super().refund(order, cups_of, death, again=again, by_finance=by_finance)

    # Who shares.

    def invite(self, one: Subscription, death: Death | None, *, again: bool) -> object:
        """The owner of a plan offers a place in it."""

        def invite() -> dict[str, Any]:
            made = subs.invite(member_id=one.member_id, subscription_id=one.id, now=clock.now())
            return {"id": str(made.id)}

        return self._answered(one.member_id, Sharer, invite, death, again=again)

    def share(self, place: Sharer, member: UUID, death: Death | None, *, again: bool) -> object:
        """Somebody takes the place that a link offers."""
        token = sharing_token.make(place.id)

        def join() -> dict[str, Any]:
            return {"id": str(subs.join(member_id=member, token=token, now=clock.now()).id)}

        return self._answered(member, Sharer, join, death, again=again)

    def end_sharing(self, place: Sharer, death: Death | None, *, by_owner: bool) -> object:
        """Who shares leaves, or the owner takes the place back."""
        (plan,) = self.all(Subscription, Subscription.id == place.subscription_id)

        def end() -> str:
            with transaction():
                if by_owner or place.member_id is None:
                    subs.remove(
                        member_id=plan.member_id, subscription_id=plan.id, sharer_id=place.id,
                        now=clock.now(),
                    )  # fmt: skip
                else:
                    subs.leave(member_id=place.member_id, sharer_id=place.id, now=clock.now())
            return "ended"

        with in_time_of(plan.member_id if by_owner else place.member_id):
            return self.insist(lambda: again(end), death, again=True)

    def collect_shared(self, till: Till, place: Sharer, cups: int) -> object:
        """Who shares, or has shared, shows a code of the plan at a till."""
        assert place.member_id is not None
        (plan,) = self.all(Subscription, Subscription.id == place.subscription_id)
        shown = self.act(lambda: self._shared_code(place, plan.id))
        if not isinstance(shown, str):
            return shown
        scan = Scan(
            shift_digest=secrets.digest(till.token),
            code=shown,
            items=(Asked(self.world.products["latte"], cups),),
            key=new_id().hex,
            fingerprint=shown.encode(),
            shown_at=clock.common(),
        )
        with in_time_of(plan.member_id):
            given = self.act(lambda: redeem(scan=scan, now=clock.now()))
        if isinstance(given, redemption.Redeemed):
            self.promised.append((redemption.models.Redemption, UUID(given.id)))
        return given

    def _shared_code(self, place: Sharer, subscription_id: UUID) -> str:
        assert place.member_id is not None
        with transaction():
            issued = redemption.issue_shared_credential(
                holder_id=place.member_id, subscription_id=subscription_id, now=clock.common()
            )
        return self.world.code(issued.id, at=clock.common())

    def is_of(self, offer_id: UUID) -> ColumnElement[bool]:
        """Whether a subscription is to some version of a plan."""
        versions = select(OfferVersion.id).where(OfferVersion.offer_id == offer_id)
        return Subscription.offer_version_id.in_(versions)

    # Whose terms end, and whose clock runs.

    def leave_behind(self, code: str, *, dearer_by: int, sharers: int | None) -> object:
        """Put other terms of a plan on sale, and let everybody go there in a month."""

        def leave() -> str:
            with transaction():
                made = self._propose(self.offer(code), dearer_by, sharers)
                offer.approve(
                    offer_id=made.offer_id, kind="plan", number=made.version, by_id=self.desk[1],
                    now=clock.now(),
                )  # fmt: skip
                for number in self._left_by(made):
                    agreed = migration.propose(
                        plan_id=made.offer_id, from_version=number, to_version=made.version,
                        from_at=clock.now() + migration.NOTICE, by_id=self.desk[0],
                        now=clock.now(),
                    )  # fmt: skip
                    migration.approve(
                        migration_id=agreed.migration.id, by_id=self.desk[1], now=clock.now()
                    )
            return "agreed"

        return self.act(lambda: again(leave))

    def run_ahead(self, member: UUID, by: timedelta, death: Death | None) -> object:
        """Move a member's clock; what is due until then happens to them alone."""

        def advance() -> str:
            with transaction():
                members.advance_clock(member_id=member, by=by, now=clock.common())
            return "moves"

        self.give_numbers(until=clock.common() + _ROUND_A_YEAR)
        moved = self.act(lambda: again(advance))
        self.do("subs.clock_jobs.move_clocks", death)
        return moved

    def _answered(
        self, member: UUID, model: type[Any], work: Callable[[], dict[str, Any]],
        death: Death | None, *, again: bool,
    ) -> object:  # fmt: skip
        key = self.key(member)
        with in_time_of(member):
            answer = self.insist(lambda: self.once(key, work), death, again=again)
        if isinstance(answer, dict):
            self.promised.append((model, UUID(answer["id"])))
        return answer

    def _propose(self, offer_id: UUID, dearer_by: int, sharers: int | None) -> OfferVersion:
        """The newest terms of a plan once more: dearer, or for fewer or more to share."""
        newest = select(OfferVersion).where(OfferVersion.offer_id == offer_id)
        old = db.session.scalars(newest.order_by(OfferVersion.version.desc()).limit(1)).one()
        kept = db.session.get_one(PlanSchedule, old.id)
        products = select(OfferVersionProduct.product_id)
        listed = products.where(OfferVersionProduct.offer_version_id == old.id)
        sold = {one.name: getattr(old, one.name, None) for one in fields(OfferTerms)}
        terms: dict[str, Any] = sold | {
            "price": old.price + dearer_by if old.price else 0,
            "product_ids": list(db.session.scalars(listed)),
            "store_ids": (),
            "sale_starts_at": clock.now(),
            "sale_ends_at": None,
        }
        schedule = {one.name: getattr(kept, one.name) for one in fields(Schedule)}
        if sharers is not None:
            schedule["sharers"] = sharers
        return propose_plan_version(
            offer_id=offer_id,
            terms=OfferTerms(**terms),
            schedule=Schedule(**schedule),
            by_id=self.desk[0],
            now=clock.now(),
        )

    def _left_by(self, newest: OfferVersion) -> list[int]:
        """The older versions that lead nowhere yet."""
        led = select(PlanMigration.from_version_id)
        older = select(OfferVersion.version).where(
            OfferVersion.offer_id == newest.offer_id,
            OfferVersion.id != newest.id,
            OfferVersion.id.not_in(led),
        )
        return list(db.session.scalars(older))
