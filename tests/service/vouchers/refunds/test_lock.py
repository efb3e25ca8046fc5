"""It is the wallet's lock that keeps a cup from being both handed over and paid back."""

from threading import Thread, current_thread

import pytest
from sqlalchemy import event

from kernel.db import db
from kernel.errors import Refusal
from redemption.service.redeem import redeem
from tests.service.vouchers.refunds.test_crashes import refunds_of
from vouchers.service import refund as refunding


def refund_with_a_scan_in_between(app, shop, member, order):
    """Refund, and have a till scan a cup when the refund is decided and not written yet."""
    code = shop.world.code(shop.world.add_credential(member), at=shop.now)
    scan, asker, outcomes = shop.world.scan(shop.world.add_till("A"), code), current_thread(), []

    def at_the_till():
        with app.app_context():
            try:
                outcomes.append(redeem(scan=scan, now=shop.now))
            except Refusal as refusal:
                outcomes.append(refusal)

    till = Thread(target=at_the_till)

    def strike(_connection, _cursor, statement, *_):
        is_first = till.ident is None and current_thread() is asker
        if is_first and statement.startswith("UPDATE lot"):
            till.start()
            till.join(timeout=1)

    event.listen(db.engine, "before_cursor_execute", strike)
    try:
        shop.refund(member, order)
    finally:
        event.remove(db.engine, "before_cursor_execute", strike)
    till.join(timeout=10)
    return outcomes


def test_with_the_lock_the_till_waits_and_finds_no_cup(app, shop, member):
    order = shop.buy(member, pack=1)
    (outcome,) = refund_with_a_scan_in_between(app, shop, member, order)
    assert isinstance(outcome, Refusal)


@pytest.mark.breaks_books
def test_without_the_lock_the_cup_is_handed_over_and_paid_back(app, shop, member, monkeypatch):
    order = shop.buy(member, pack=1)
    monkeypatch.setattr(refunding, "change_wallets", list)
    (outcome,) = refund_with_a_scan_in_between(app, shop, member, order)
    assert not isinstance(outcome, Refusal)
    (refund,) = refunds_of(order)
    assert sum(line.cups for line in shop.lines(refund)) == 11
