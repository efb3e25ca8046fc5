"""A log comes in while the money of the same cups is given back."""

from functools import partial

import pytest

from kernel.transaction import again
from redemption.offline.uploading import upload
from tests.fakes import fake_provider
from tests.service.redemption.offline.field import Branch, fill, items, left, lines
from tests.service.vouchers.conftest import JOBS
from tests.service.vouchers.refunds.shop import Shop
from tests.together import together

assert JOBS  # they subscribe


@pytest.fixture
def shop(world, at):
    at(2026, 1, 14, 12)
    world.add_offer("pack", price=1000)
    with fake_provider() as bank:
        yield Shop(world, bank, at)


def test_each_cup_is_given_back_or_was_served(app, world, shop):
    alice = world.add_member()
    order = shop.buy(alice, pack=1)
    branch = Branch(world, "A")
    written = [branch.serve(fill(world, alice), after=at) for at in range(4)]
    works = [partial(upload, lines=lines([one]), now=shop.now) for one in written]
    works.insert(2, partial(again, partial(shop.refund, alice, order)))
    told = together(app, works, in_transactions=False)
    applied = sum(one.outcome == "applied" for one in items())
    (refund,) = told[2]
    assert left(alice) == 0
    assert sum(line.cups for line in shop.lines(refund)) == 11 - applied
    assert {one.outcome for one in items()} <= {"applied", "overdrawn"}
