"""The merchant's balance: movements, fees, and what leaves for the bank."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import stripe

from sandbox.config import Settings, SettingsError
from tests.faults.sandbox_here import SandboxHere, running_sandbox
from tests.sandbox.provider import SECRET_KEY, client_of

DAY_S = 86_400

Pay = Callable[..., stripe.Charge]


class Merchant:
    """Somebody whose sandbox starts at a midnight, so that days can be counted."""

    def __init__(self, sandbox: SandboxHere, clock_file: Path) -> None:
        self.client = client_of(sandbox.url)
        self._clock_file = clock_file
        real = datetime.now(UTC).timestamp()
        self._until_midnight = DAY_S - real % DAY_S

    def wait_until(self, *, day: int, seconds: int = 60) -> None:
        """Let it be that many seconds past the midnight with which a day begins."""
        ahead = self._until_midnight + day * DAY_S + seconds
        self._clock_file.write_text(f"{ahead}")

    def pay(self, amount: int = 49_900, currency: str = "twd") -> stripe.Charge:
        intent = self.client.payment_intents.create(
            {
                "amount": amount,
                "currency": currency,
                "confirm": True,
                "payment_method": "pm_card_visa",
                "payment_method_types": ["card"],
            }
        )
        return self.client.charges.retrieve(str(intent.latest_charge))

    def movements(self, **shown: Any) -> list[stripe.BalanceTransaction]:
        return self.client.balance_transactions.list({"limit": 100, **shown}).data  # type: ignore[typeddict-item]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxHere]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def merchant(sandbox: SandboxHere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Merchant:
    monkeypatch.setenv("CLOCK_FILE", str(tmp_path / "clock"))
    sandbox.begin(tmp_path / "balance.sqlite3")
    merchant = Merchant(sandbox, tmp_path / "clock")
    merchant.wait_until(day=0)
    return merchant


def test_a_charge_brings_its_amount_less_the_fee(merchant: Merchant):
    charge = merchant.pay(49_950)

    moved = merchant.client.balance_transactions.retrieve(str(charge.balance_transaction))

    assert (moved.type, moved.reporting_category, moved.source) == ("charge", "charge", charge.id)
    assert (moved.amount, moved.fee, moved.net) == (49_950, 1_449, 48_501)  # 1448.55, half up
    assert [(one.amount, one.type) for one in moved.fee_details] == [(1_449, "stripe_fee")]
    assert (moved.currency, moved.status) == ("twd", "pending")
    assert moved.available_on % DAY_S == 0
    assert 1 < (moved.available_on - moved.created) / DAY_S <= 2


def test_a_refund_takes_its_amount_and_brings_no_fee_back(merchant: Merchant):
    charge = merchant.pay()

    refund = merchant.client.refunds.create({"charge": charge.id, "amount": 10_000})

    moved = merchant.client.balance_transactions.retrieve(str(refund.balance_transaction))
    assert (moved.type, moved.source, moved.amount) == ("refund", refund.id, -10_000)
    assert (moved.fee, moved.net, moved.fee_details) == (0, -10_000, [])


def test_a_declined_charge_moves_nothing(merchant: Merchant):
    with pytest.raises(stripe.CardError):
        merchant.client.payment_intents.create(
            {
                "amount": 100,
                "currency": "twd",
                "confirm": True,
                "payment_method": "pm_card_chargeDeclined",
                "payment_method_types": ["card"],
            }
        )

    assert merchant.movements() == []


def test_movements_are_listed_newest_first_in_pages(merchant: Merchant):
    charges = [merchant.pay(100 + n).balance_transaction for n in range(5)][::-1]

    everything = merchant.client.balance_transactions.list({"limit": 2}).auto_paging_iter()

    assert [moved.id for moved in everything] == charges


def test_movements_can_be_chosen(merchant: Merchant):
    charge = merchant.pay()
    yen = merchant.pay(500, "jpy")
    refund = merchant.client.refunds.create({"charge": charge.id})
    first, second, third = charge.balance_transaction, yen.balance_transaction, None
    third = refund.balance_transaction
    created = merchant.movements()[0].created

    assert [one.id for one in merchant.movements(type="refund")] == [third]
    assert [one.id for one in merchant.movements(source=charge.id)] == [first]
    assert [one.id for one in merchant.movements(currency="jpy")] == [second]
    assert len(merchant.movements(created={"gte": created - 60, "lt": created + 60})) == 3
    assert merchant.movements(created={"gt": created + 60}) == []
    assert merchant.movements(source="ch_nobodys") == []


def test_the_source_of_a_movement_can_be_expanded(merchant: Merchant):
    charge = merchant.pay()
    merchant.client.refunds.create({"charge": charge.id})

    back, paid = merchant.movements(expand=["data.source"])

    assert (back.source.object, back.source.payment_intent) == ("refund", charge.payment_intent)
    assert (paid.source.object, paid.source.payment_intent) == ("charge", charge.payment_intent)


def test_what_is_available_is_paid_out_at_midnight(merchant: Merchant):
    charge, late = merchant.pay(), None
    merchant.wait_until(day=1)
    late = merchant.pay()
    merchant.wait_until(day=2)

    (payout,) = merchant.client.payouts.list().data

    assert (payout.amount, payout.currency, payout.status) == (48_400, "twd", "in_transit")
    assert payout.created % DAY_S == 0
    assert (payout.arrival_date - payout.created, payout.automatic) == (DAY_S, True)
    assert payout.reconciliation_status == "completed"
    out = merchant.movements(payout=payout.id)
    assert {one.id for one in out} == {charge.balance_transaction, payout.balance_transaction}
    assert [one.amount for one in out if one.type == "payout"] == [-48_400]
    still = merchant.client.balance_transactions.retrieve(str(late.balance_transaction))
    assert still.status == "pending"


def test_a_payout_arrives_a_day_later(merchant: Merchant):
    merchant.pay()
    merchant.wait_until(day=2)
    (payout,) = merchant.client.payouts.list().data

    merchant.wait_until(day=3)

    assert merchant.client.payouts.retrieve(payout.id).status == "paid"
    assert merchant.client.payouts.list({"status": "in_transit"}).data == []
    told = [one.type for one in merchant.client.events.list({"limit": 2}).data]
    assert told == ["payout.paid", "payout.created"]


def test_fractions_of_a_dollar_wait_for_the_next_payout(merchant: Merchant):
    merchant.pay()  # 484.53 is left of it
    merchant.wait_until(day=2)
    merchant.pay()
    merchant.wait_until(day=4)

    second, first = merchant.client.payouts.list().data

    assert (first.amount, second.amount) == (48_400, 48_500)


def test_yen_and_dollars_leave_apart(merchant: Merchant):
    merchant.pay()
    merchant.pay(501, "jpy")
    merchant.wait_until(day=2)

    paid = {one.currency: one.amount for one in merchant.client.payouts.list().data}

    assert paid == {"twd": 48_400, "jpy": 486}


def test_what_was_refunded_is_not_paid_out(merchant: Merchant):
    charge = merchant.pay()
    merchant.client.refunds.create({"charge": charge.id})
    merchant.wait_until(day=2)
    assert merchant.client.payouts.list().data == []
    merchant.pay()

    merchant.wait_until(day=4)

    (payout,) = merchant.client.payouts.list().data
    assert payout.amount == 47_000  # 484.53 less the 14.47 that the refunded charge has cost
    assert len(merchant.movements(payout=payout.id)) == 4


def test_days_that_nobody_looked_at_are_made_up_for(merchant: Merchant):
    merchant.pay()
    merchant.wait_until(day=1)
    merchant.pay()

    merchant.wait_until(day=40)

    second, first = merchant.client.payouts.list().data
    assert second.created - first.created == DAY_S
    assert (first.status, second.status) == ("paid", "paid")
    created = [one.created for one in merchant.movements()]
    assert created == sorted(created, reverse=True)


def test_every_midnight_happens_once(merchant: Merchant, sandbox: SandboxHere, tmp_path: Path):
    merchant.pay()
    merchant.wait_until(day=2)
    merchant.client.payouts.list()
    sandbox.begin(tmp_path / "balance.sqlite3")  # as by a restart: all that it knows is its file
    merchant.wait_until(day=3)

    assert len(merchant.client.payouts.list().data) == 1
    assert len(merchant.movements(type="payout")) == 1


def test_a_payout_can_be_found_with_its_movement(merchant: Merchant):
    merchant.pay()
    merchant.wait_until(day=2)

    (payout,) = merchant.client.payouts.list({"expand": ["data.balance_transaction"]}).data

    assert payout.balance_transaction.net == -payout.amount


def test_questions_that_make_no_sense_are_refused(merchant: Merchant):
    client = merchant.client
    for ask in (
        lambda: client.balance_transactions.list({"payout": "po_nobodys"}),
        lambda: client.balance_transactions.list({"starting_after": "txn_nobodys"}),
        lambda: client.balance_transactions.list({"limit": 101}),
        lambda: client.balance_transactions.list({"colour": "red"}),  # type: ignore[typeddict-unknown-key]
        lambda: client.balance_transactions.retrieve("txn_nobodys"),
        lambda: client.payouts.list({"status": "lost"}),
        lambda: client.payouts.retrieve("po_nobodys"),
    ):
        with pytest.raises(stripe.InvalidRequestError):
            ask()


@pytest.mark.parametrize("fee", ["-1", "10001", "2.9", "²", "many"])
def test_a_fee_that_is_no_share_stops_the_start(tmp_path: Path, fee: str):
    environment = {
        "SANDBOX_DB": str(tmp_path / "db"),
        "SANDBOX_API_KEY": SECRET_KEY,
        "SANDBOX_FEE_BASIS_POINTS": fee,
    }

    with pytest.raises(SettingsError, match="SANDBOX_FEE_BASIS_POINTS"):
        Settings.from_environment(environment)


def test_the_fee_can_be_set(tmp_path: Path):
    environment = {"SANDBOX_DB": str(tmp_path / "db"), "SANDBOX_API_KEY": SECRET_KEY}

    assert Settings.from_environment(environment).fee_basis_points == 290
    free = environment | {"SANDBOX_FEE_BASIS_POINTS": "0"}
    assert Settings.from_environment(free).fee_basis_points == 0
