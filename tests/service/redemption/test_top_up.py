"""A dearer drink or a late cup costs the difference: collected, taxed, booked, invoiced, undone."""

from datetime import date, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select

import invoicing
import redemption.jobs
from invoicing.models import Invoice, InvoicedLine, InvoiceDocument
from kernel import hot, outbox
from kernel.db import db
from kernel.errors import NotFound
from kernel.outbox import Outbox
from kernel.transaction import transaction
from ledger.chart import set_rate
from ledger.models import Line, VatRate
from redemption.errors import CoversLess, InsufficientCups, TopUpDue
from redemption.models import Redemption
from redemption.service.redeem import redeem
from tests.service.redemption.tills import price, rows, sums, undo
from tests.world import only
from vouchers.models import Lot

SOLD = {"1111": 240, "2131": -229, "2194": -11}


@pytest.fixture
def louisa(world):
    """Five cups for 240 of a drink that costs 60 today; they were to be collected by now."""
    price(world.products["latte"], 60)
    world.add_offer(
        "louisa-5", price=240, cups=5, bonus_cups=0, list_price=60, expiry_mode="top_up"
    )
    world.till, world.alice = world.add_till("A"), world.add_member()
    world.lot = world.add_lot(
        world.alice,
        "louisa-5",
        units=5,
        net=229,
        vat=11,
        expiry_mode="top_up",
        ends_at=world.now,
        due_at=None,
    )
    return world


@pytest.fixture
def star_card(world):
    """Ten drinks for 1,000, of up to 135 within the time, good for 100 afterwards."""
    price(world.products["latte"], 120)
    world.add_offer(
        "star-card",
        price=1000,
        cups=10,
        bonus_cups=0,
        expiry_mode="top_up",
        expires_after_count=60,
        expires_after_unit="day",
        covers_up_to=135,
    )
    world.till, world.alice = world.add_till("A"), world.add_member()
    ends_at = world.now + timedelta(days=60)
    card = {"units": 10, "net": 952, "vat": 48, "expiry_mode": "top_up", "ends_at": ends_at}
    world.add_lot(world.alice, "star-card", due_at=None, **card)
    return world


def scan(world, cups=1, *, top_up, key=None):
    code = world.code(world.add_credential(world.alice))
    return world.scan(world.till, code, cups, top_up=top_up, **({"key": key} if key else {}))


def test_a_late_cup_of_louisa_costs_twelve(louisa):
    redeemed = louisa.take(louisa.till, louisa.alice, top_up=12)
    assert redeemed.top_up == {"amount": 12, "currency": "TWD"}
    assert redeemed.left == 4
    row = only(Redemption)
    assert (row.top_up, row.top_up_vat) == (12, 1)
    assert (only(Lot).used, only(Lot).net_recognised, only(Lot).vat_gone) == (1, 46, 2)
    assert sums() == {"1111": 252, "2131": -183, "2194": -12, "4111": -46, "4115": -11}


def test_two_late_cups_cost_twice_as_much_and_are_taxed_in_one_sum(louisa):
    louisa.take(louisa.till, louisa.alice, 2, top_up=24)
    row = only(Redemption)
    assert (row.top_up, row.top_up_vat) == (24, 1)


def test_what_is_due_follows_today_s_list_price(louisa):
    price(louisa.products["latte"], 65)
    assert louisa.take(louisa.till, louisa.alice, top_up=17)


@pytest.mark.parametrize("collected", [0, 11, 13])
def test_another_amount_is_refused_with_both_and_nothing_moves(louisa, collected):
    with pytest.raises(TopUpDue) as refusal:
        louisa.take(louisa.till, louisa.alice, top_up=collected)
    assert refusal.value.facts == {"due": 12, "collected": collected, "currency": "TWD"}
    assert only(Lot).used == 0
    assert sums() == SOLD


def test_money_for_a_cup_that_costs_nothing_is_refused_too(world):
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "eleven")
    with pytest.raises(TopUpDue) as refusal:
        world.take(till, alice, top_up=5)
    assert refusal.value.facts == {"due": 0, "collected": 5, "currency": "TWD"}


def test_after_the_refusal_a_new_key_with_the_right_amount_is_served_by_the_same_code(louisa):
    code = louisa.code(louisa.add_credential(louisa.alice))
    short = louisa.scan(louisa.till, code)
    for is_replay in (False, True):
        with pytest.raises(TopUpDue) as refusal:
            redeem(scan=short, now=louisa.now)
        assert refusal.value.is_replayed is is_replay
    right = louisa.scan(louisa.till, code, top_up=12)
    assert redeem(scan=right, now=louisa.now).top_up["amount"] == 12


def test_a_retry_of_a_topped_up_scan_hears_the_same_and_books_once(louisa):
    asked = scan(louisa, top_up=12)
    first = redeem(scan=asked, now=louisa.now)
    price(louisa.products["latte"], 90)
    again = redeem(scan=asked, now=louisa.now + timedelta(minutes=5))
    assert again.is_replayed
    assert again.as_json() == first.as_json()
    assert sums()["4115"] == -11
    outbox.drain()
    assert len(rows(Invoice)) == 1


_AS_ONCE = """
UPDATE idempotency_key SET answer = jsonb_build_object('redeemed',
    (answer -> 'redeemed') - ARRAY['items', 'top_up'] || (
        SELECT jsonb_build_object('product_id', item -> 'product_id', 'left', item -> 'left',
                                  'taken', (item -> 'taken') #- '{0,name}' #- '{0,unit}')
        FROM (SELECT answer #> '{redeemed,items,0}' AS item) AS first))
RETURNING 1
"""


def test_an_answer_that_was_kept_when_a_scan_had_one_drink_is_heard_again(louisa):
    asked = scan(louisa, top_up=12)
    first = redeem(scan=asked, now=louisa.now)
    hot.rows(_AS_ONCE, {})
    again = redeem(scan=asked, now=louisa.now)
    assert (again.id, again.left, again.cups) == (first.id, 4, 1)
    assert again.top_up == {"amount": 0, "currency": "TWD"}
    assert [(one["lot_id"], one["name"]) for one in again.taken] == [
        (first.taken[0]["lot_id"], None)
    ]


def test_a_star_card_pays_for_120_inside_its_time_and_20_less_afterwards(star_card):
    inside, after = star_card.now, star_card.now + timedelta(days=60)
    star_card.take(star_card.till, star_card.alice, now=inside - timedelta(hours=1))
    outbox.drain()
    assert rows(Invoice) == []
    star_card.take(star_card.till, star_card.alice, top_up=20, now=after)
    outbox.drain()
    (invoice,) = rows(Invoice)
    assert (invoice.source, invoice.gross, invoice.net, invoice.vat) == ("top_up", 20, 19, 1)


def test_a_star_card_is_for_no_drink_of_more_than_135(star_card):
    price(star_card.products["latte"], 136)
    with pytest.raises(CoversLess) as refusal:
        star_card.take(star_card.till, star_card.alice)
    assert refusal.value.facts == {"covers": 135, "list_price": 136, "currency": "TWD"}


def test_the_invoice_is_of_the_store_that_took_the_money_and_says_for_what(louisa):
    elsewhere = louisa.add_till("B")
    redeemed = louisa.take(elsewhere, louisa.alice, top_up=12)
    outbox.drain()
    (invoice,) = rows(Invoice)
    assert (invoice.store_id, str(invoice.source_id)) == (elsewhere.store_id, redeemed.id)
    assert invoice.sold_at == louisa.now
    line = only(InvoicedLine)
    assert (line.description, line.quantity, line.gross, line.vat) == ("補差價 latte", 1, 12, 1)


def test_no_invoice_is_promised_where_nothing_was_collected(world):
    till, alice = world.add_till("A"), world.add_member()
    world.add_lot(alice, "eleven")
    redeemed = world.take(till, alice)
    (promise,) = rows(Outbox)
    assert promise.topic == "redemption.done"
    assert promise.facts == {"member_id": str(alice), "redemption_id": redeemed.id}


def test_the_vat_is_of_the_rate_and_the_rounding_that_hold_today(louisa):
    with transaction():
        set_rate(code="standard", starts_on=date(2026, 1, 14), basis_points=1000, rounding="down")
    louisa.take(louisa.till, louisa.alice, 2, top_up=24)
    assert only(Redemption).top_up_vat == 3


def test_a_code_of_vat_without_a_rate_today_collects_nothing(louisa):
    with transaction():
        db.session.query(VatRate).delete()
    with pytest.raises(NotFound):
        louisa.take(louisa.till, louisa.alice, top_up=12)
    assert only(Lot).used == 0


def test_a_void_reverses_cups_and_top_up_alike_and_takes_the_invoice_back(louisa):
    redeemed = louisa.take(louisa.till, louisa.alice, 2, top_up=24)
    outbox.drain()
    undo(louisa.till, redeemed, now=louisa.now)
    assert sums() == SOLD
    (invoice,) = rows(Invoice)
    assert (invoice.status, invoice.taken_back_gross, invoice.taken_back_vat) == ("void", 24, 1)
    assert sorted(one.kind for one in rows(InvoiceDocument)) == ["issue", "void"]
    lot = only(Lot)
    assert (lot.used, lot.net_recognised, lot.vat_gone, lot.is_open) == (0, 0, 0, True)


def test_a_void_that_comes_before_the_invoice_leaves_none_to_be_issued(louisa):
    redeemed = louisa.take(louisa.till, louisa.alice, top_up=12)
    undo(louisa.till, redeemed, now=louisa.now)
    outbox.drain()
    assert rows(Invoice) == []
    assert sums() == SOLD


def test_a_void_beside_the_invoice_leaves_none_that_stands(app, louisa, monkeypatch):
    """The invoice is on its way when the void comes: the redemption's row makes the void wait."""
    redeemed = louisa.take(louisa.till, louisa.alice, top_up=12)
    about_to_commit, issue = Barrier(2, timeout=10), invoicing.issue

    def slowly(**of):
        issue(**of)
        about_to_commit.wait()
        voiding.join(timeout=0.5)  # it gets on only if nothing holds it
        assert voiding.is_alive()

    def void():
        with app.app_context():
            about_to_commit.wait()
            undo(louisa.till, redeemed, now=louisa.now)

    monkeypatch.setattr(invoicing, "issue", slowly)
    voiding = Thread(target=void)
    voiding.start()
    outbox.drain()
    voiding.join(timeout=10)
    (invoice,) = rows(Invoice)
    assert (invoice.status, invoice.taken_back_gross) == ("void", 12)


def test_the_promise_is_kept_once_however_often_it_is_read(louisa):
    louisa.take(louisa.till, louisa.alice, top_up=12)
    outbox.drain()
    (facts,) = [row.facts for row in rows(Outbox) if row.topic == "redemption.taxed"]
    with transaction():
        redemption.jobs.invoice_taxed(**facts, now=louisa.now)
    assert len(rows(Invoice)) == 1


def test_a_free_cup_burns_before_a_late_one(louisa):
    louisa.add_lot(louisa.alice, "eleven", units=1, net=43, vat=2)
    free = louisa.take(louisa.till, louisa.alice)
    assert [one["offer"] for one in free.taken] == ["eleven"]
    with pytest.raises(TopUpDue):
        louisa.take(louisa.till, louisa.alice)


def test_cups_that_are_paid_back_at_their_end_are_not_handed_over_any_more(world):
    till, alice = world.add_till("A"), world.add_member()
    world.add_offer("twenty", expiry_mode="refund")
    world.add_lot(alice, "twenty", expiry_mode="refund", ends_at=world.now)
    with pytest.raises(InsufficientCups) as refusal:
        world.take(till, alice)
    assert refusal.value.facts == {"held": 0, "wanted": 1}


def test_a_dearer_drink_is_topped_up_where_the_terms_allow_it_and_booked_last(world):
    price(world.products["latte"], 75)
    world.add_offer("fifty", covers_up_to=50, allows_top_up=True)
    till, alice = world.add_till("B"), world.add_member()
    world.add_lot(alice, "fifty", store="A")
    world.take(till, alice, 2, top_up=50)
    with transaction():
        lines = db.session.scalars(select(Line).order_by(Line.entry_id, Line.ordinal)).all()
        told = [(one.debit, one.credit, one.amount, one.qty) for one in lines[2:]]
    assert told == [
        ("2131", "2171", 87, 2),
        ("1171", "4111", 87, 2),
        ("1111", "4115", 48, 0),
        ("1111", "2194", 2, 0),
    ]
