"""A dry run answers what the redemption would, and does nothing."""

import pytest
from sqlalchemy import func, select

from chain.models import WrongCode
from kernel import hot
from kernel.db import Base, db
from kernel.errors import Refusal
from kernel.transaction import transaction
from redemption.errors import TokenInvalid, TokenUsed, TopUpDue
from redemption.service.redeem import redeem, validate
from tests.service.redemption.tills import price


def counts() -> dict[str, int]:
    with transaction():
        return {
            table.name: db.session.scalars(select(func.count()).select_from(table)).one()
            for table in Base.metadata.sorted_tables
        }


def answered(verb, world, scan):
    """The answer without what only a redemption has, or the refusal."""
    try:
        told = verb(scan=scan, now=world.now).as_json()
    except Refusal as refusal:
        return refusal.code, refusal.facts
    return {name: told[name] for name in told if name != "id"}


@pytest.mark.parametrize("cups", [1, 11, 12])
def test_it_answers_what_the_redemption_then_does(world, cups):
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "eleven")
    scan = world.scan(till, world.code(world.add_credential(alice)), cups)
    before = counts()
    said = answered(validate, world, scan)
    assert counts() == before
    assert answered(redeem, world, scan) == said


@pytest.mark.parametrize(
    "wrong",
    [
        {"drinks": {"latte": 1, "mocha": 1}},
        {"top_up": 5},
        {"cups": 3},
    ],
)
def test_it_refuses_as_the_redemption_would(world, wrong):
    till, alice = world.add_till("A"), world.add_member()
    world.add_offer("club", cups_per_day=2)
    world.add_lot(alice, "club")
    scan = world.scan(till, world.code(world.add_credential(alice)), **wrong)
    assert answered(validate, world, scan) == answered(redeem, world, scan)


def test_it_has_no_id(world):
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "eleven")
    code = world.code(world.add_credential(alice))
    assert validate(scan=world.scan(till, code), now=world.now).id is None


def test_it_says_what_is_to_be_paid_besides(world):
    price(world.products["latte"], 60)
    world.add_offer("fifty", covers_up_to=50, allows_top_up=True)
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "fifty")
    code = world.code(world.add_credential(alice))
    with pytest.raises(TopUpDue) as refusal:
        validate(scan=world.scan(till, code), now=world.now)
    assert refusal.value.facts["due"] == 10
    assert validate(scan=world.scan(till, code, top_up=10), now=world.now).top_up["amount"] == 10


def test_a_code_that_is_none_is_counted_all_the_same(world):
    till = world.add_till("A")
    for _ in range(2):
        with pytest.raises(TokenInvalid):
            validate(scan=world.scan(till, "GARBAGE"), now=world.now)
    with transaction():
        assert db.session.scalars(select(WrongCode)).one().times == 2


def test_a_code_that_was_used_is_used_for_it_too(world):
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "eleven")
    scan = world.scan(till, world.code(world.add_credential(alice)))
    redeem(scan=scan, now=world.now)
    with pytest.raises(TokenUsed):
        validate(scan=world.scan(till, scan.code), now=world.now)


def test_it_takes_one_statement(world, monkeypatch):
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "eleven")
    scan, run, ran = world.scan(till, world.code(world.add_credential(alice))), hot.rows, []
    monkeypatch.setattr(hot, "rows", lambda sql, params: ran.append(sql) or run(sql, params))
    validate(scan=scan, now=world.now)
    assert len(ran) == 1
    redeem(scan=scan, now=world.now)
    assert len(ran) == 3
