"""A month of payments against the provider: every difference is shown, with its cause."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from kernel import clock
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from payments import (
    Payment,
    Reconciliation,
    charge,
    inbox,
    receive,
    reconcile,
    reconciliation_lines,
)
from payments.gateway import SeenTransaction
from payments.models import BalanceTransaction, ProviderFetch
from payments.reconciliation import Line
from payments.service.settle import keep_items, keep_payouts, keep_transactions
from payments.settlements import fetch_settlements
from tests.events import event, signed
from tests.fakes import DECLINED, GOOD, SLOW, FakeGateway
from tests.world import World

Owed = Callable[..., UUID]
Read = Callable[[UUID], Payment]
PassTime = Callable[[timedelta], datetime]

JANUARY, FEBRUARY, MARCH = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)
IN_JANUARY = datetime(2026, 1, 14, 4, tzinfo=UTC)
LAST_MOMENT = datetime(2026, 1, 31, 15, 59, 59, tzinfo=UTC)  # in Taipei still January


@pytest.fixture
def paid(world: World, provider: FakeGateway, owed: Owed) -> Callable[..., Payment]:
    """Somebody was charged 100 dollars, at a moment; answers the payment."""

    def paid(at: datetime = IN_JANUARY, **facts: Any) -> Payment:
        payment_id = charge(payment_id=owed(), payment_method=GOOD).id
        with transaction():
            mine = update(Payment).where(Payment.id == payment_id)
            db.session.execute(mine.values(settled_at=at, **facts))
            return db.session.get_one(Payment, payment_id)

    return paid


@pytest.fixture
def fetched(provider: FakeGateway) -> Callable[..., SeenTransaction]:
    """A movement was kept: that of a payment, but for what is said."""

    def fetched(payment: Payment | None = None, **facts: Any) -> SeenTransaction:
        theirs = {"payment_ref": payment.provider_ref} if payment else {}
        seen = provider.move(**{"created_at": IN_JANUARY, **theirs, **facts})
        with transaction():
            keep_transactions([seen])
        return seen

    return fetched


@pytest.fixture
def all_fetched(world: World) -> None:
    """Everything that the provider has shown by March has been fetched."""
    with transaction():
        until = datetime(2026, 3, 1, tzinfo=UTC)
        db.session.add(ProviderFetch(stream="transactions", due_at=until, fetched_until=until))


def january() -> Reconciliation:
    with transaction():
        return reconcile(month_first_on=JANUARY, next_on=FEBRUARY)


def february() -> Reconciliation:
    with transaction():
        return reconcile(month_first_on=FEBRUARY, next_on=MARCH)


def told(found: Reconciliation) -> list[tuple[str, str | None, int | None, int | None]]:
    rows = [(one.verdict, one.cause, one.ours_minor, one.theirs_minor) for one in found.differences]
    return sorted(rows, key=str)


def explained(found: Reconciliation, lines: list[Line]) -> None:
    """Whatever differs in the sums is on the lines."""
    for sums in found.charged:
        ours = [one.ours_minor for one in lines if one.ours_currency == sums.currency]
        theirs = [
            one.theirs_minor
            for one in lines
            if one.theirs_currency == sums.currency and one.kind == "charge"
        ]
        on_lines = sum(filter(None, ours)) - sum(filter(None, theirs))
        assert sums.difference_minor == on_lines


def test_a_payment_and_its_movement_are_matched(paid, fetched, all_fetched) -> None:
    payment = paid()
    fetched(payment, fee_minor=290)

    found = january()

    assert found.lines == {"matched": 1}
    assert found.differences == []
    (sums,) = found.charged
    assert (sums.ours_minor, sums.theirs_minor, sums.difference_minor) == (10_000, 10_000, 0)
    (held,) = found.held
    assert (held.opening_minor, held.charges_minor, held.fees_minor) == (0, 10_000, 290)
    assert (held.net_minor, held.closing_minor, held.difference_minor) == (9_710, 9_710, 0)
    assert (found.cash_expected, found.surplus) == ({"TWD": 100}, {})


def test_a_month_in_which_nothing_happened_is_empty(world: World) -> None:
    found = january()

    assert (found.lines, found.charged, found.held, found.payouts) == ({}, [], [], [])
    assert found.cash_expected == {}


def test_a_payment_that_the_provider_does_not_know_is_shown(paid, all_fetched) -> None:
    paid()

    found = january()

    assert told(found) == [("ours_only", "unknown_to_provider", 10_000, None)]
    assert found.charged[0].difference_minor == 10_000


def test_a_payment_since_the_last_fetch_is_said_to_be_that(paid) -> None:
    paid()

    assert told(january()) == [("ours_only", "not_fetched_yet", 10_000, None)]


def test_a_charge_of_somebody_else_on_the_same_account_is_shown(fetched, world: World) -> None:
    fetched()
    fetched(payment_ref=None)

    found = january()

    assert told(found) == [("theirs_only", "unknown_to_us", None, 10_000)] * 2
    assert found.charged[0].difference_minor == -20_000
    assert found.cash_expected == {}


@pytest.mark.parametrize("theirs", [9_999, 10_001, 100, 1_000_000])
def test_an_amount_that_differs_is_shown_to_the_hundredth(
    paid, fetched, all_fetched, theirs: int
) -> None:
    fetched(paid(), amount_minor=theirs)

    found = january()

    assert told(found) == [("amounts_differ", "amount_differs", 10_000, theirs)]
    assert found.charged[0].difference_minor == 10_000 - theirs


def test_a_currency_that_differs_is_shown_in_both(paid, fetched, all_fetched) -> None:
    fetched(paid(), currency="JPY", charged_currency="JPY")

    found = january()

    assert told(found) == [("amounts_differ", "currency_differs", 10_000, 10_000)]
    assert [(one.currency, one.difference_minor) for one in found.charged] == [
        ("JPY", -10_000),
        ("TWD", 10_000),
    ]


def test_a_balance_in_another_currency_is_compared_by_what_the_card_was_charged(
    paid, fetched, all_fetched
) -> None:
    fetched(paid(), amount_minor=312, fee_minor=9, currency="USD", charged_minor=10_000)

    found = january()

    assert found.lines == {"matched": 1}
    assert [(one.currency, one.closing_minor) for one in found.held] == [("USD", 303)]


def test_a_second_charge_for_one_payment_is_shown_as_such(paid, fetched, all_fetched) -> None:
    payment = paid()
    fetched(payment)
    fetched(payment)

    found = january()

    assert found.lines == {"matched": 1, "theirs_only": 1}
    assert told(found) == [("theirs_only", "charged_twice", None, 10_000)]
    assert found.cash_expected == {"TWD": 100}


@pytest.mark.parametrize(("card", "cause"), [(SLOW, "open_with_us"), (DECLINED, "failed_with_us")])
def test_a_charge_for_a_payment_that_did_not_succeed_here_is_shown(
    world: World, owed: Owed, fetched, provider: FakeGateway, card: str, cause: str
) -> None:
    fetched(charge(payment_id=owed(), payment_method=card))

    assert told(january()) == [("theirs_only", cause, None, 10_000)]


def test_a_late_event_turns_a_difference_into_a_match(
    world: World, owed: Owed, read: Read, provider: FakeGateway, pass_time: PassTime
) -> None:
    payment = charge(payment_id=owed(), payment_method=SLOW)
    provider.finish(str(payment.provider_ref))
    pass_time(timedelta(seconds=5))
    fetch_settlements()
    first_on = clock.now().date().replace(day=1)
    span = {"month_first_on": first_on - timedelta(days=1), "next_on": first_on + timedelta(40)}
    with transaction():
        assert told(reconcile(**span)) == [("theirs_only", "open_with_us", None, 10_000)]

    now = clock.now()
    body, header = signed(event("payment_intent.succeeded", str(payment.provider_ref)), at=now)
    with transaction():
        receive(body=body, signature=header, now=now)
    inbox.read_events()

    assert read(payment.id).status == "succeeded"
    with transaction():
        assert reconcile(**span).lines == {"matched": 1}


def test_both_months_show_a_payment_that_straddles_them(paid, fetched, all_fetched) -> None:
    fetched(paid(LAST_MOMENT + timedelta(seconds=2)), created_at=LAST_MOMENT)

    assert told(january()) == [("theirs_only", "ours_in_other_month", None, 10_000)]
    assert told(february()) == [("ours_only", "theirs_in_other_month", 10_000, None)]
    assert january().charged[0].difference_minor + february().charged[0].difference_minor == 0


def test_a_month_begins_and_ends_where_the_chain_is(paid, fetched, all_fetched) -> None:
    for at in (LAST_MOMENT, LAST_MOMENT + timedelta(seconds=1)):
        fetched(paid(at), created_at=at)

    assert january().lines == {"matched": 1}
    assert february().lines == {"matched": 1}


def test_what_came_twice_is_matched_and_told_apart(paid, fetched, all_fetched) -> None:
    fetched(paid(status="surplus"))

    found = january()

    assert found.lines == {"matched": 1}
    assert (found.cash_expected, found.surplus) == ({}, {"TWD": 100})


def test_what_is_no_charge_is_on_a_line_and_in_the_sums(paid, fetched, all_fetched) -> None:
    payment = paid()
    fetched(payment)
    fetched(payment, kind="refund", amount_minor=-4_000)
    fetched(payment, kind="dispute", amount_minor=-6_000, fee_minor=1_500)
    fetched(kind="fee", payment_ref=None, amount_minor=-700)
    fetched(kind="other", payment_ref=None, amount_minor=33)

    found = january()

    assert told(found) == [
        ("theirs_only", "dispute_not_ours", None, -6_000),
        ("theirs_only", "other_movement", None, 33),
        ("theirs_only", "provider_fee", None, -700),
        ("theirs_only", "refund_not_ours", None, -4_000),
    ]
    (held,) = found.held
    assert (held.refunds_minor, held.disputes_minor, held.other_minor) == (-4_000, -6_000, -667)
    assert held.fees_minor == 1_500
    assert held.closing_minor == 10_000 - 4_000 - 6_000 - 1_500 - 667
    assert found.charged[0].difference_minor == 0


def test_what_is_still_at_the_provider_goes_on_into_the_next_month(
    fetched, provider: FakeGateway, world: World
) -> None:
    fetched(fee_minor=290)
    fetched(kind="payout", payment_ref=None, amount_minor=-9_700, created_at=LAST_MOMENT)
    fetched(fee_minor=290, created_at=LAST_MOMENT + timedelta(days=3))

    (january_held,), (february_held,) = january().held, february().held

    assert (january_held.paid_out_minor, january_held.closing_minor) == (9_700, 10)
    assert (february_held.opening_minor, february_held.closing_minor) == (10, 9_720)
    assert (january_held.difference_minor, february_held.difference_minor) == (0, 0)


def test_a_movement_that_was_lost_from_the_table_shows(fetched, world: World) -> None:
    fetched()
    lost = fetched()
    with transaction():
        db.session.delete(db.session.get_one(BalanceTransaction, lost.ref))

    assert january().held[0].difference_minor == -10_000


def paid_out(provider: FakeGateway, **facts: Any) -> str:
    """Send what there is to the bank; answers the payout's reference."""
    made = replace(provider.pay_out(), created_at=IN_JANUARY, **facts)
    with transaction():
        keep_payouts([made])
    return made.ref


def listed(provider: FakeGateway, ref: str, *, less: int = 0) -> None:
    items = provider.paid_out[ref][less:]
    with transaction():
        keep_items(payout_ref=ref, seen=items, after=None, next_after=None, now=IN_JANUARY)


def test_a_payout_agrees_with_what_went_out_with_it(provider, fetched, world: World) -> None:
    for _ in range(3):
        fetched(fee_minor=300)
    ref = paid_out(provider)
    listed(provider, ref)

    (payout,) = january().payouts

    assert (payout.amount_minor, payout.items_minor, payout.items) == (29_100, 29_100, 3)
    assert (payout.cause, payout.agrees, payout.difference_minor) == (None, True, 0)


def test_a_fraction_of_a_dollar_that_waits_is_shown_and_explained(
    provider, fetched, world: World
) -> None:
    fetched(fee_minor=291)
    ref = paid_out(provider)
    listed(provider, ref)

    (payout,) = january().payouts

    assert (payout.cause, payout.agrees) == ("fraction_carried", True)
    assert payout.difference_minor == -9


@pytest.mark.parametrize(
    ("facts", "is_listed", "cause"),
    [
        ({}, False, "not_listed_yet"),
        ({"is_itemised": False, "is_automatic": False}, False, "not_itemised"),
        ({"amount_minor": 29_000}, True, "items_differ"),
        ({"amount_minor": 29_200}, True, "items_differ"),
    ],
)
def test_a_payout_that_does_not_agree_says_why(
    provider, fetched, world: World, facts: dict[str, Any], is_listed: bool, cause: str
) -> None:
    for _ in range(3):
        fetched(fee_minor=300)
    ref = paid_out(provider, **facts)
    if is_listed:
        listed(provider, ref)

    (payout,) = january().payouts

    assert (payout.cause, payout.agrees) == (cause, False)
    assert payout.difference_minor != 0


def test_the_lines_explain_every_difference_of_the_sums(
    paid, fetched, owed: Owed, all_fetched
) -> None:
    fetched(paid())
    fetched(paid(), amount_minor=9_000)
    paid()
    fetched()
    fetched(paid(), currency="JPY", charged_currency="JPY")
    twice = paid()
    fetched(twice)
    fetched(twice, created_at=IN_JANUARY + timedelta(days=30))
    fetched(paid(LAST_MOMENT + timedelta(seconds=1)), created_at=LAST_MOMENT)
    fetched(charge(payment_id=owed(), payment_method=SLOW))
    fetched(twice, kind="refund", amount_minor=-1_000)

    for first_on, next_on in ((JANUARY, FEBRUARY), (FEBRUARY, MARCH)):
        with transaction():
            found = reconcile(month_first_on=first_on, next_on=next_on)
            lines = list(reconciliation_lines(month_first_on=first_on, next_on=next_on))
        explained(found, lines)
        assert sum(found.lines.values()) == len(lines)
        assert [one for one in lines if one.verdict != "matched"] == found.differences
        with transaction():
            moved = db.session.query(BalanceTransaction).all()
        here = [one.provider_ref for one in moved if _month_of(one.created_at) == first_on.month]
        on_lines = [one.transaction_ref for one in lines if one.theirs_minor is not None]
        assert sorted(here) == sorted(filter(None, on_lines))


def _month_of(at: datetime) -> int:
    return (at + timedelta(hours=8)).month


def test_more_lines_than_one_batch_are_all_there(world: World) -> None:
    refs = [f"txn_{number:05}" for number in range(2_500)]
    with transaction():
        keep_transactions([_foreign(ref) for ref in refs])
        found = reconciliation_lines(month_first_on=JANUARY, next_on=FEBRUARY)
        assert sorted(str(line.transaction_ref) for line in found) == refs


def _foreign(ref: str) -> SeenTransaction:
    return SeenTransaction(
        ref=ref, kind="charge", type="charge", source_ref=None, payment_ref=f"pi_{new_id().hex}",
        amount_minor=100, fee_minor=3, net_minor=97, currency="TWD", charged_minor=100,
        charged_currency="TWD", created_at=IN_JANUARY, available_at=IN_JANUARY,
    )  # fmt: skip
