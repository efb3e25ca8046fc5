"""A dry run answers what the redemption would, and does nothing."""

from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from chain.models import WrongCode
from kernel import hot
from kernel.db import Base, db
from kernel.errors import Refusal
from kernel.transaction import transaction
from redemption.errors import TokenInvalid, TokenUsed, TopUpDue
from redemption.service.redeem import redeem, validate
from tests.service.redemption.tills import price
from vouchers.models import Lot, Wallet


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


def blocked(world, alice):
    with transaction():
        db.session.get_one(Wallet, alice).blocked_at = world.now


def frozen(world, alice):
    with transaction():
        db.session.execute(update(Lot).values(frozen_at=world.now))


def served(world, alice):
    """One cup just before: the day's limit, or the interval, is reached."""
    world.take(world.add_till("A"), alice)


@pytest.mark.parametrize(
    ("reason", "terms", "before", "asked"),
    [
        ("wallet-blocked", {}, blocked, {}),
        ("lot-frozen", {}, frozen, {}),
        ("limit-reached", {"cups_per_day": 1}, served, {}),
        ("limit-reached", {"minimum_interval_s": 1800}, served, {}),
        ("limit-reached", {"max_cups": 1}, None, {"cups": 2}),
        ("limit-reached", {"cups_per_day": 3}, None, {"drinks": {"latte": 2, "mocha": 2}}),
        ("insufficient-cups", {}, None, {"drinks": {"latte": 6, "mocha": 6}}),
        ("product-mismatch", {"product": "mocha"}, None, {}),
        ("covers-less", {"covers_up_to": 49, "product": None}, None, {}),
        ("channel-not-accepted", {"redeem_channels": ["kiosk"]}, None, {}),
        ("store-not-accepted", {"accepted_at": "regions", "accepted_regions": ["x"]}, None, {}),
        ("top-up-due", {"covers_up_to": 40, "allows_top_up": True}, None, {}),
        ("not-found", {"vat_timing": "redemption", "vat_code": "unheard-of"}, None, {}),
        ("unknown-product", {}, None, {"product_id": UUID(int=7)}),
        ("token-used", {}, None, {"twice": True}),
    ],
)
def test_each_no_is_the_same_by_a_dry_run(world, reason, terms, before, asked):
    till, alice = world.add_till("A"), world.add_member()
    world.add_offer("tea", **{"product": ("latte", "mocha"), **terms})
    world.add_lot(alice, "tea")
    if before is not None:
        before(world, alice)
    code = world.code(world.add_credential(alice))
    asked = dict(asked)
    if asked.pop("twice", False):
        redeem(scan=world.scan(till, code), now=world.now)
    scan = world.scan(till, code, **asked)
    before_it = counts()
    said = answered(validate, world, scan)
    assert counts() == before_it
    assert said[0] == reason
    assert answered(redeem, world, scan) == said


def test_an_own_wallet_is_refused_by_it_too(world):
    alice = world.add_member()
    world.add_lot(alice, "eleven")
    till = world.add_till("A", own=alice)
    scan = world.scan(till, world.code(world.add_credential(alice)))
    assert answered(validate, world, scan) == ("own-wallet", {})
    assert answered(redeem, world, scan) == ("own-wallet", {})


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
