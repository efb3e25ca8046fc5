"""Disputes: opened, answered, decided, and where the money is meanwhile."""

from collections.abc import Callable

import httpx
import pytest
import stripe

from sandbox.config import Settings, SettingsError
from tests.sandbox.provider import SECRET_KEY, WEBHOOK_SECRET, Provider
from tests.sandbox.receiver import Receiver
from tests.sandbox.told import types_about

Pay = Callable[..., stripe.PaymentIntent]
DISPUTE_FEE = 45_000


def movements(client: stripe.V1Services, dispute_id: str) -> list[stripe.BalanceTransaction]:
    return client.balance_transactions.list({"source": dispute_id}).data[::-1]


@pytest.fixture
def disputed(client: stripe.V1Services, pay: Pay) -> stripe.Dispute:
    """A payment of 499 TWD that its cardholder disputes at once."""
    intent = pay("pm_card_createDispute")
    (dispute,) = client.disputes.list({"payment_intent": intent.id}).data
    return dispute


def test_the_card_that_disputes_does_so_right_after_the_charge(
    client: stripe.V1Services, receiver: Receiver, pay: Pay
):
    intent = pay("pm_card_createDispute", expand=["latest_charge"])

    assert (intent.status, intent.latest_charge.disputed) == ("succeeded", True)
    (dispute,) = client.disputes.list({"charge": intent.latest_charge.id}).data
    assert (dispute.amount, dispute.currency, dispute.status) == (49_900, "twd", "needs_response")
    assert (dispute.reason, dispute.payment_intent) == ("fraudulent", intent.id)
    assert dispute.is_charge_refundable is False
    assert types_about(client, dispute.id) == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
    ]
    (told,) = receiver.wait_for("charge.dispute.created", dispute.id)
    assert told.event(WEBHOOK_SECRET).data.object["balance_transactions"] == []


def test_a_number_typed_by_hand_disputes_as_well(client: stripe.V1Services, pay: Pay):
    method = client.payment_methods.create(
        {
            "type": "card",
            "card": {"number": "4000000000002685", "exp_month": 12, "exp_year": 2040},
        }
    )
    intent = pay(method.id)

    (dispute,) = client.disputes.list({"payment_intent": intent.id}).data

    assert dispute.reason == "product_not_received"


def test_an_open_dispute_has_taken_the_money_and_a_fee(
    client: stripe.V1Services, disputed: stripe.Dispute
):
    (withdrawal,) = movements(client, disputed.id)

    assert (withdrawal.type, withdrawal.reporting_category) == ("adjustment", "dispute")
    assert (withdrawal.amount, withdrawal.fee) == (-49_900, DISPUTE_FEE)
    assert withdrawal.net == -49_900 - DISPUTE_FEE
    assert [moved.id for moved in disputed.balance_transactions] == [withdrawal.id]


def test_a_won_dispute_brings_the_money_back_but_not_the_fee(
    client: stripe.V1Services, provider: Provider, disputed: stripe.Dispute
):
    provider.act(f"disputes/{disputed.id}/decide", outcome="won")

    won = client.disputes.retrieve(disputed.id)
    _, back = movements(client, disputed.id)
    assert (won.status, won.is_charge_refundable) == ("won", True)
    assert [moved.id for moved in won.balance_transactions][1:] == [back.id]
    assert (back.type, back.reporting_category) == ("adjustment", "dispute_reversal")
    assert (back.amount, back.fee, back.net) == (49_900, 0, 49_900)
    assert types_about(client, disputed.id)[2:] == [
        "charge.dispute.closed",
        "charge.dispute.funds_reinstated",
    ]
    assert client.refunds.create({"charge": str(disputed.charge)}).status == "succeeded"


def test_a_lost_dispute_keeps_the_money(
    client: stripe.V1Services, provider: Provider, disputed: stripe.Dispute
):
    provider.act(f"disputes/{disputed.id}/decide", outcome="lost")

    lost = client.disputes.retrieve(disputed.id)
    assert (lost.status, lost.is_charge_refundable) == ("lost", False)
    assert len(movements(client, disputed.id)) == 1
    assert types_about(client, disputed.id)[2:] == ["charge.dispute.closed"]


@pytest.mark.parametrize("outcome", ["open", "lost"])
def test_nobody_is_paid_twice(
    client: stripe.V1Services, provider: Provider, disputed: stripe.Dispute, outcome: str
):
    if outcome == "lost":
        provider.act(f"disputes/{disputed.id}/decide", outcome="lost")

    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.refunds.create({"payment_intent": str(disputed.payment_intent), "amount": 1})

    assert refused.value.code == "charge_disputed"
    assert client.charges.retrieve(str(disputed.charge)).amount_refunded == 0


def test_a_dispute_that_is_accepted_is_lost(client: stripe.V1Services, disputed: stripe.Dispute):
    accepted = client.disputes.close(disputed.id)

    assert accepted.status == "lost"
    with pytest.raises(stripe.InvalidRequestError):
        client.disputes.close(disputed.id)


def test_evidence_can_be_prepared_and_then_goes_to_the_bank_once(
    client: stripe.V1Services, disputed: stripe.Dispute
):
    prepared = client.disputes.update(
        disputed.id, {"evidence": {"customer_name": "Alice"}, "submit": False}
    )
    sent = client.disputes.update(disputed.id, {"evidence": {"product_description": "11 cups"}})

    assert (prepared.status, prepared.evidence_details.has_evidence) == ("needs_response", True)
    assert prepared.evidence_details.submission_count == 0
    assert (sent.status, sent.evidence_details.submission_count) == ("under_review", 1)
    assert (sent.evidence.customer_name, sent.evidence.product_description) == ("Alice", "11 cups")
    assert types_about(client, disputed.id)[2:] == ["charge.dispute.updated"] * 2
    with pytest.raises(stripe.InvalidRequestError):
        client.disputes.update(disputed.id, {"evidence": {"customer_name": "Bob"}})


@pytest.mark.parametrize(("text", "status"), [("winning", "won"), ("losing", "lost")])
def test_the_evidence_of_test_mode_decides_at_once(
    client: stripe.V1Services, disputed: stripe.Dispute, text: str, status: str
):
    decided = client.disputes.update(
        disputed.id, {"evidence": {"uncategorized_text": f"{text}_evidence"}}
    )

    assert decided.status == status


def test_the_notes_on_a_dispute_can_be_changed_even_when_it_is_closed(
    client: stripe.V1Services, disputed: stripe.Dispute
):
    client.disputes.close(disputed.id)

    noted = client.disputes.update(disputed.id, {"metadata": {"case": "7"}})

    assert (noted.status, noted.metadata.to_dict()) == ("lost", {"case": "7"})


def test_a_dispute_can_be_opened_about_a_part(
    client: stripe.V1Services, provider: Provider, pay: Pay
):
    intent = pay()

    opened = provider.act(
        "disputes", payment_intent=intent.id, amount=9_900, reason="product_unacceptable"
    )

    dispute = client.disputes.retrieve(opened["id"], {"expand": ["charge", "payment_intent"]})
    assert (dispute.amount, dispute.reason) == (9_900, "product_unacceptable")
    assert (dispute.charge.disputed, dispute.payment_intent.id) == (True, intent.id)
    assert [moved.amount for moved in movements(client, dispute.id)] == [-9_900]


def test_a_dispute_is_about_what_was_not_refunded(
    client: stripe.V1Services, provider: Provider, pay: Pay
):
    part, whole = pay(), pay()
    client.refunds.create({"payment_intent": part.id, "amount": 40_000})
    client.refunds.create({"payment_intent": whole.id})

    assert provider.act("disputes", payment_intent=part.id)["amount"] == 9_900
    assert provider.act("disputes", charge=str(whole.latest_charge))["amount"] == 49_900


def test_an_inquiry_moves_no_money_and_ends_with_a_full_refund(client: stripe.V1Services, pay: Pay):
    intent = pay("pm_card_createDisputeInquiry")
    (inquiry,) = client.disputes.list({"payment_intent": intent.id}).data

    assert (inquiry.status, inquiry.is_charge_refundable) == ("warning_needs_response", True)
    assert (inquiry.balance_transactions, movements(client, inquiry.id)) == ([], [])
    with pytest.raises(stripe.InvalidRequestError):
        client.disputes.close(inquiry.id)
    client.refunds.create({"payment_intent": intent.id})
    assert client.disputes.retrieve(inquiry.id).status == "warning_closed"


def test_an_inquiry_can_become_a_dispute(client: stripe.V1Services, provider: Provider, pay: Pay):
    opened = provider.act("disputes", payment_intent=pay().id, is_inquiry="true")

    answered = client.disputes.update(opened["id"], {"evidence": {"receipt": "file_1"}})
    provider.act(f"disputes/{opened['id']}/decide", outcome="lost")

    assert answered.status == "warning_under_review"
    dispute = client.disputes.retrieve(opened["id"])
    assert (dispute.status, dispute.is_charge_refundable) == ("needs_response", False)
    assert [moved.amount for moved in movements(client, dispute.id)] == [-49_900]


def test_disputes_that_no_bank_would_open_are_refused(
    provider: Provider, client: stripe.V1Services, disputed: stripe.Dispute, pay: Pay
):
    unpaid = client.payment_intents.create({"amount": 100, "currency": "twd"})
    paid = pay()
    provider.act(f"disputes/{disputed.id}/decide", outcome="lost")

    for what, terms in (
        ("disputes", {"payment_intent": unpaid.id}),
        ("disputes", {"payment_intent": paid.id, "amount": 49_901}),
        ("disputes", {"payment_intent": paid.id, "amount": 0}),
        ("disputes", {"payment_intent": paid.id, "reason": "boredom"}),
        ("disputes", {}),
        (f"disputes/{disputed.id}/decide", {"outcome": "won"}),
    ):
        with pytest.raises(httpx.HTTPStatusError, match="400"):
            provider.act(what, **terms)
    provider.act("disputes", payment_intent=paid.id)
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        provider.act("disputes", payment_intent=paid.id)


def test_disputes_are_listed_by_time_in_pages(own_provider: Provider):
    own_provider.start()
    client, opened = own_provider.client(), []
    for hours in range(3):
        own_provider.clock_file.write_text(f"{hours * 3600}")
        client.payment_intents.create(
            {
                "amount": 100,
                "currency": "twd",
                "confirm": True,
                "payment_method": "pm_card_createDispute",
                "payment_method_types": ["card"],
            }
        )
        opened.insert(0, client.disputes.list({"limit": 1}).data[0])

    listed = client.disputes.list({"limit": 1}).auto_paging_iter()
    late = client.disputes.list({"created": {"gte": opened[1].created}}).data

    assert [dispute.id for dispute in listed] == [dispute.id for dispute in opened]
    assert [dispute.id for dispute in late] == [dispute.id for dispute in opened[:2]]


def test_the_fee_of_a_dispute_can_be_set():
    environment = {"SANDBOX_DB": "db", "SANDBOX_API_KEY": SECRET_KEY}

    assert Settings.from_environment(environment).dispute_fee == DISPUTE_FEE
    free = environment | {"SANDBOX_DISPUTE_FEE": "0"}
    assert Settings.from_environment(free).dispute_fee == 0
    with pytest.raises(SettingsError, match="SANDBOX_DISPUTE_FEE"):
        Settings.from_environment(environment | {"SANDBOX_DISPUTE_FEE": "-1"})
