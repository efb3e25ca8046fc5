"""Voids, redemptions, refunds and gifts of one lot at once: each cup is in one place."""

from dataclasses import dataclass
from functools import partial

import pytest
from sqlalchemy import func, select

import vouchers
from kernel.db import db
from kernel.transaction import again, transaction
from redemption.models import Redemption
from redemption.service.redeem import redeem
from tests.service.redemption.races.rush import committed, rush
from tests.service.redemption.tills import undo
from vouchers import Wish
from vouchers.models import Gift, Lot, RefundLine

pytestmark = pytest.mark.usefixtures("hesitant")

CUPS = 11
COLLECTED, SCANS, GIFTS, REFUNDS = 5, 8, 6, 2
ROUNDS = 2
"""In one the works come as they are listed, in the other from behind."""


@dataclass(frozen=True)
class End:
    """What came of a rush: where the cups are, and what the lot and the verbs say."""

    used: int
    handed: int
    given: int
    paid_back: int
    ends: dict[tuple[str, str], int]

    @property
    def is_sound(self) -> bool:
        """Nobody met anything but a refusal, and what has left the lot is somewhere."""
        met = {end for _, end in self.ends}
        elsewhere = self.handed + self.given + self.paid_back
        return met <= {"done", *_REFUSALS} and self.used == elsewhere <= CUPS


_REFUSALS = {"insufficient-cups", "nothing-to-refund", "too-few-left"}


def race(app, shop, round_):
    """Eleven cups, five of them collected; then everybody wants all of them at once."""
    member = shop.world.add_member()
    order, till, now = shop.buy(member, pack=1), shop.world.add_till("A"), shop.now
    taken = [shop.world.take(till, member, now=now) for _ in range(COLLECTED)]
    codes = [shop.world.code(shop.world.add_credential(member), at=now) for _ in range(SCANS)]
    scanned = [shop.world.scan(till, code) for code in codes]
    (lot,) = shop.lots(member)

    def refund():
        parts = [vouchers.AskedLot(lot_id=lot.id, cups=2)]
        return vouchers.refund(Wish(member, order.id, parts), asked_by_id=member, now=now)

    voids = [("void", lambda one=one: again(lambda: undo(till, one, now=now))) for one in taken]
    scans = [("scan", partial(redeem, scan=scan, now=now)) for scan in scanned]
    give = committed(lambda: vouchers.give(giver_id=member, cups=1, now=now))
    gifts, refunds = [("gift", give)] * GIFTS, [("refund", committed(refund))] * REFUNDS
    works = [*voids, *scans, *gifts, *refunds]
    ends = rush(app, works[::-1] if round_ % 2 else works)
    return where_the_cups_are(member, lot.id, ends)


def where_the_cups_are(member, lot_id, ends):
    standing = func.coalesce(func.sum(Redemption.cups - Redemption.cups_voided), 0)
    with transaction():
        return End(
            used=db.session.get_one(Lot, (member, lot_id)).used,
            handed=int(db.session.scalar(select(standing).where(Redemption.member_id == member))),
            given=_sum(Gift.cups, Gift.giver_id == member),
            paid_back=_sum(RefundLine.cups, RefundLine.lot_id == lot_id),
            ends=dict(ends),
        )


def _sum(cups, of):
    return int(db.session.scalar(select(func.coalesce(func.sum(cups), 0)).where(of)))


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_each_cup_ends_in_one_place(app, shop, round_):
    end = race(app, shop, round_)
    assert end.is_sound, end
    assert end.ends["void", "done"] == COLLECTED


@pytest.mark.breaks_books
@pytest.mark.parametrize("guard", ["unversioned", "unlocked"])
def test_without_a_guard_it_is_no_longer_sound(app, shop, request, guard):
    request.getfixturevalue(guard)
    assert not all(race(app, shop, round_).is_sound for round_ in range(10 * ROUNDS))
