"""The shape of what is served: the same keys as Stripe's own samples."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.sandbox.provider import Provider

SAMPLES: dict[str, dict[str, Any]] = json.loads(
    Path(__file__).with_name("samples.json").read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def payout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stripe.Payout]:
    """A payout, of a sandbox whose clock may be moved."""
    provider = Provider(tmp_path_factory.mktemp("payout"))
    provider.start()
    client = provider.client()
    client.payment_intents.create(
        {
            "amount": 49900,
            "currency": "twd",
            "confirm": True,
            "payment_method": "pm_card_visa",
            "payment_method_types": ["card"],
        }
    )
    provider.clock_file.write_text(f"{3 * 86_400}")
    yield client.payouts.list().data[0]
    provider.stop()


@pytest.fixture
def served(
    client: stripe.V1Services,
    alice: stripe.Customer,
    pay: Callable[..., stripe.PaymentIntent],
    payout: stripe.Payout,
) -> dict[str, Any]:
    """One object of each kind, as retrieved."""
    intent = pay("pm_card_visa", customer=alice.id, setup_future_usage="off_session")
    charge_id = str(intent.latest_charge)
    refund = client.refunds.create({"payment_intent": intent.id, "amount": 100})
    setup = client.setup_intents.create({"customer": alice.id})
    disputed = pay("pm_card_createDispute")
    return {
        "balance_transaction": client.balance_transactions.retrieve(
            str(client.charges.retrieve(charge_id).balance_transaction)
        ).to_dict(),
        "charge": client.charges.retrieve(charge_id).to_dict(),
        "customer": client.customers.retrieve(alice.id).to_dict(),
        "dispute": client.disputes.list({"payment_intent": disputed.id}).data[0].to_dict(),
        "event": client.events.list({"limit": 1}).data[0].to_dict(),
        "payment_intent": client.payment_intents.retrieve(intent.id).to_dict(),
        "payment_method": client.payment_methods.retrieve(str(intent.payment_method)).to_dict(),
        "payout": payout.to_dict(),
        "refund": client.refunds.retrieve(refund.id).to_dict(),
        "setup_intent": client.setup_intents.retrieve(setup.id).to_dict(),
        "webhook_endpoint": client.webhook_endpoints.list().data[0].to_dict(),
    }


def test_every_kind_has_exactly_the_keys_of_its_sample(served: dict[str, Any]):
    assert {kind: sorted(each) for kind, each in served.items()} == {
        kind: sorted(sample) for kind, sample in SAMPLES.items()
    }


NESTED = [
    ("charge", ("billing_details",)),
    ("charge", ("billing_details", "address")),
    ("charge", ("outcome",)),
    ("charge", ("payment_method_details",)),
    ("charge", ("payment_method_details", "card")),
    ("charge", ("payment_method_details", "card", "checks")),
    ("charge", ("payment_method_details", "card", "overcapture")),
    ("charge", ("refunds",)),
    ("customer", ("invoice_settings",)),
    ("dispute", ("evidence",)),
    ("dispute", ("evidence_details",)),
    ("dispute", ("payment_method_details",)),
    ("dispute", ("payment_method_details", "card")),
    ("event", ("request",)),
    ("payment_intent", ("amount_details",)),
    ("payment_intent", ("managed_payments",)),
    ("payment_method", ("billing_details",)),
    ("payment_method", ("billing_details", "address")),
    ("payment_method", ("card",)),
    ("payment_method", ("card", "checks")),
    ("payment_method", ("card", "networks")),
    ("refund", ("destination_details",)),
]


def test_nested_objects_have_the_keys_of_the_sample(served: dict[str, Any]):
    for kind, path in NESTED:
        ours, sample = served[kind], SAMPLES[kind]
        for key in path:
            ours, sample = ours[key], sample[key]
        assert set(ours) == set(sample), (kind, path)


def test_ids_have_the_prefixes_of_the_samples(served: dict[str, Any]):
    for kind, each in served.items():
        assert each["id"].split("_")[0] == SAMPLES[kind]["id"].split("_")[0]
        assert each["object"] == kind


def test_cards_out_of_a_wallet_have_the_details_of_the_sample(
    client: stripe.V1Services, pay: Callable[..., stripe.PaymentIntent]
):
    intent = pay("pm_card_visa_apple_pay", expand=["latest_charge", "payment_method"])

    for kind, shown in (
        ("charge", intent.latest_charge.payment_method_details.card),
        ("payment_method", intent.payment_method.card),
    ):
        sample = SAMPLES[kind]
        card = sample["payment_method_details"]["card"] if kind == "charge" else sample["card"]
        assert set(shown.wallet.to_dict()) == set(card["wallet"]) | {"apple_pay"}


def test_authenticated_charges_have_the_details_of_the_sample(
    client: stripe.V1Services,
    provider: Any,
    pay: Callable[..., stripe.PaymentIntent],
):
    waiting = pay("pm_card_authenticationRequired")
    provider.authenticate(waiting.id, "succeed")

    paid = client.payment_intents.retrieve(waiting.id, {"expand": ["latest_charge"]})

    card = paid.latest_charge.payment_method_details.card.to_dict()
    sample = SAMPLES["charge"]["payment_method_details"]["card"]
    assert set(card["three_d_secure"]) == set(sample["three_d_secure"])
