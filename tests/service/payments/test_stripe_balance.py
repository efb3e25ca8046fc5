"""Movements and payouts through the real library, from the sandbox to the reconciled month."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import stripe

from chain.policy import local_day
from kernel import clock
from kernel.transaction import transaction
from payments import Reconciliation, charge, gateway, reconcile
from payments.settlements import fetch_settlements
from payments.stripe_gateway import StripeGateway
from tests.sandbox.provider import SECRET_KEY, Provider
from tests.world import World

Owed = Callable[..., UUID]


@pytest.fixture
def sandbox(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """A sandbox of this test's own, in use, whose clock is ours."""
    sandbox = Provider(tmp_path)
    monkeypatch.setenv("CLOCK_FILE", str(sandbox.clock_file))
    sandbox.start()
    with gateway.use(StripeGateway(api_key=SECRET_KEY, base=sandbox.url)):
        yield sandbox
    sandbox.stop()


def of_the_last_days(days: int = 20) -> Reconciliation:
    today = local_day(clock.now(), time_zone="Asia/Taipei")
    first_on, next_on = today - timedelta(days=days), today + timedelta(days=1)
    with transaction():
        return reconcile(month_first_on=first_on, next_on=next_on)


def test_payments_refunds_fees_and_payouts_add_up(sandbox: Provider, owed: Owed) -> None:
    for _ in range(3):
        charge(payment_id=owed(), payment_method="pm_card_visa")
    refunded = charge(payment_id=owed(), payment_method="pm_card_visa")
    sandbox.client().refunds.create({"payment_intent": str(refunded.provider_ref), "amount": 2_500})
    charge(payment_id=owed(), payment_method="pm_card_chargeDeclined")
    clock.advance(timedelta(days=3))
    charge(payment_id=owed(), payment_method="pm_card_visa")
    clock.advance(timedelta(minutes=1))

    fetch_settlements()

    found = of_the_last_days()
    assert found.lines == {"matched": 5, "theirs_only": 1}
    assert [(one.cause, one.theirs_minor) for one in found.differences] == [
        ("refund_not_ours", -2_500)
    ]
    assert found.cash_expected == {"TWD": 500}
    (held,) = found.held
    assert (held.charges_minor, held.refunds_minor, held.fees_minor) == (50_000, -2_500, 5 * 290)
    assert held.paid_out_minor == 4 * 10_000 - 4 * 290 - 2_500 - 40  # whole dollars only
    assert held.closing_minor == 10_000 - 290 + 40
    assert held.difference_minor == 0
    (payout,) = found.payouts
    assert (payout.items, payout.amount_minor) == (5, held.paid_out_minor)
    assert (payout.cause, payout.difference_minor) == ("fraction_carried", -40)


def test_somebody_elses_charge_on_the_account_is_shown(sandbox: Provider, owed: Owed) -> None:
    charge(payment_id=owed(), payment_method="pm_card_visa")
    theirs = sandbox.client().payment_intents.create(
        {
            "amount": 777,
            "currency": "twd",
            "confirm": True,
            "payment_method": "pm_card_visa",
            "payment_method_types": ["card"],
        }
    )
    clock.advance(timedelta(minutes=1))

    fetch_settlements()

    found = of_the_last_days()
    (line,) = found.differences
    assert (line.cause, line.payment_ref, line.theirs_minor) == ("unknown_to_us", theirs.id, 777)
    assert found.charged[0].difference_minor == -777


def test_a_page_ends_and_the_next_goes_on(
    sandbox: Provider, owed: Owed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("payments.stripe_gateway._PAGE", 2)
    for _ in range(5):
        charge(payment_id=owed(), payment_method="pm_card_visa")
    clock.advance(timedelta(days=3))

    fetch_settlements()

    found = of_the_last_days()
    assert found.lines == {"matched": 5}
    assert [(one.items, one.agrees) for one in found.payouts] == [(5, True)]


def test_a_payout_that_has_arrived_is_seen_to_have(sandbox: Provider, owed: Owed) -> None:
    charge(payment_id=owed(), payment_method="pm_card_visa")
    clock.advance(timedelta(days=2))
    fetch_settlements()
    clock.advance(timedelta(days=2))

    fetch_settlements()

    assert [one.status for one in of_the_last_days().payouts] == ["paid"]


def test_a_span_has_its_beginning_and_not_its_end(sandbox: Provider, owed: Owed) -> None:
    payment = charge(payment_id=owed(), payment_method="pm_card_visa")
    client = sandbox.client()
    intent = client.payment_intents.retrieve(
        str(payment.provider_ref), {"expand": ["latest_charge.balance_transaction"]}
    )
    charged = intent.latest_charge
    assert isinstance(charged, stripe.Charge)
    moved = charged.balance_transaction
    assert isinstance(moved, stripe.BalanceTransaction)
    at = datetime.fromtimestamp(moved.created, clock.now().tzinfo)
    second = timedelta(seconds=1)

    def seen(since: datetime, until: datetime) -> list[str]:
        page = gateway.provider().list_balance_transactions(since=since, until=until, after=None)
        return [one.ref for one in page.items]

    assert seen(at, at + second) == [moved.id]
    assert seen(at - second, at) == []
    assert seen(at + second, at + 2 * second) == []
