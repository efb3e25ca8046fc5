"""Stripe's own objects, read as the house sees them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from payments import stripe_balance
from payments.gateway import SeenPayout, SeenTransaction

SAMPLES = json.loads(
    (Path(__file__).parents[2] / "sandbox" / "samples.json").read_text(encoding="utf-8")
)
SAMPLE_MOMENT = datetime.fromtimestamp(1_234_567_890, UTC)


def read(**changes: Any) -> SeenTransaction:
    shown = SAMPLES["balance_transaction"] | changes
    return stripe_balance.transactions({"data": [shown], "has_more": False}).items[0]


def payout(**changes: Any) -> SeenPayout:
    shown = SAMPLES["payout"] | changes
    return stripe_balance.payouts({"data": [shown], "has_more": False}).items[0]


def test_the_sample_of_a_movement_is_read():
    assert read() == SeenTransaction(
        ref="txn_1PgaxNB7WZ01zgkWEV3TLf40", kind="charge", type="charge",
        source_ref="ch_1PgafuB7WZ01zgkWXYmPNZs8", payment_ref=None,
        amount_minor=100, fee_minor=0, net_minor=100, currency="USD",
        charged_minor=100, charged_currency="USD",
        created_at=SAMPLE_MOMENT, available_at=SAMPLE_MOMENT,
    )  # fmt: skip


def test_the_sample_of_a_payout_is_read():
    assert payout() == SeenPayout(
        ref="po_1Pgc79B7WZ01zgkWu1KToYf4", status="in_transit", amount_minor=1_100, currency="USD",
        is_automatic=True, is_itemised=True, failure=None,
        created_at=SAMPLE_MOMENT, arrives_at=SAMPLE_MOMENT,
    )  # fmt: skip


def test_an_expanded_charge_names_its_payment_and_what_the_card_was_charged():
    charge = SAMPLES["charge"] | {
        "payment_intent": "pi_1",
        "amount": 12_000,
        "amount_captured": 10_000,
        "currency": "twd",
    }

    seen = read(source=charge, amount=312, fee=9, net=303, currency="usd")

    assert (seen.source_ref, seen.payment_ref) == (charge["id"], "pi_1")
    assert (seen.amount_minor, seen.currency) == (312, "USD")
    assert (seen.charged_minor, seen.charged_currency) == (10_000, "TWD")


def test_a_refund_is_negative_on_both_sides():
    refund = SAMPLES["refund"] | {"payment_intent": "pi_1", "amount": 4_000, "currency": "twd"}

    seen = read(source=refund, type="refund", amount=-125, net=-125)

    assert (seen.kind, seen.payment_ref, seen.charged_minor) == ("refund", "pi_1", -4_000)


def test_a_refund_that_failed_brings_the_money_back():
    refund = SAMPLES["refund"] | {"amount": 4_000, "currency": "twd"}

    seen = read(source=refund, type="refund_failure", amount=4_000, net=4_000)

    assert (seen.kind, seen.charged_minor) == ("refund", 4_000)


@pytest.mark.parametrize(
    ("type_", "category", "kind"),
    [
        ("payment", "charge", "charge"),
        ("payment_refund", "refund", "refund"),
        ("adjustment", "dispute", "dispute"),
        ("adjustment", "dispute_reversal", "dispute"),
        ("adjustment", "other_adjustment", "other"),
        ("stripe_fee", "fee", "fee"),
        ("payout_failure", "payout_reversal", "payout"),
        ("reserve_hold", "risk_reserved_funds", "other"),
        ("made_up_next_year", "charge", "other"),
    ],
)
def test_the_providers_types_have_a_kind_of_ours(type_: str, category: str, kind: str):
    assert read(type=type_, reporting_category=category).kind == kind


def test_a_movement_without_a_source_belongs_to_no_payment():
    seen = read(source=None, type="stripe_fee")

    assert (seen.source_ref, seen.payment_ref, seen.charged_minor) == (None, None, 100)


def test_a_payment_may_be_expanded_too():
    assert read(source=SAMPLES["charge"] | {"payment_intent": {"id": "pi_1"}}).payment_ref == "pi_1"


def test_the_next_page_begins_after_the_last_one_of_this():
    first, last = SAMPLES["payout"] | {"id": "po_2"}, SAMPLES["payout"] | {"id": "po_1"}

    assert stripe_balance.payouts({"data": [first, last], "has_more": True}).next_after == "po_1"
    assert stripe_balance.payouts({"data": [first, last], "has_more": False}).next_after is None
    assert stripe_balance.payouts({"data": [], "has_more": False}).next_after is None


def test_a_page_of_nothing_but_the_payout_itself_goes_on():
    own = SAMPLES["balance_transaction"] | {"id": "txn_own", "source": "po_1", "type": "payout"}

    page = stripe_balance.paid_out({"data": [own], "has_more": True}, payout_ref="po_1")

    assert (page.items, page.next_after) == ((), "txn_own")


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("pending", "pending"),
        ("in_transit", "in_transit"),
        ("paid", "paid"),
        ("failed", "failed"),
        ("canceled", "cancelled"),
    ],
)
def test_a_payouts_status_is_in_our_words(said: str, status: str):
    assert payout(status=said).status == status


@pytest.mark.parametrize("said", ["in_progress", "not_applicable"])
def test_a_payout_that_cannot_say_what_is_in_it_is_not_itemised(said: str):
    assert not payout(reconciliation_status=said).is_itemised
