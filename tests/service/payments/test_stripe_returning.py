"""Money back, forms and faults with the real library, against the sandbox in its own process."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from flask import Flask

import payments
from kernel import clock
from kernel.errors import Unavailable
from kernel.ids import new_id
from kernel.transaction import transaction
from payments import (
    Dispute,
    Payment,
    PaymentDifference,
    Repayment,
    cancel,
    charge,
    gateway,
    inbox,
    receive,
    repaying,
    save_card,
)
from payments.errors import UnknownToProvider
from payments.gateway import cards
from payments.looking.duty import look
from payments.service.ask_repayment import ask_repayment
from payments.stripe_gateway import StripeGateway
from tests.events import signed
from tests.sandbox.provider import PUBLISHABLE_KEY, SECRET_KEY, Provider

Owed = Callable[..., UUID]
Read = Callable[[UUID], Payment]
ReadBack = Callable[[UUID], Repayment]
Repaid = Callable[..., Repayment]
Told = Callable[[], list[str]]
PassTime = Callable[[timedelta], datetime]
Hear = Callable[[int], None]

ATTEMPTS = 3
"""How often the library asks before it gives up."""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    sandbox = Provider(tmp_path_factory.mktemp("sandbox"))
    sandbox.start()
    yield sandbox
    sandbox.stop()


@pytest.fixture(autouse=True)
def stripe_in_use(app: Flask, sandbox: Provider) -> Iterator[None]:
    del app
    sandbox.raw("DELETE", "/v1/test_helpers/faults").raise_for_status()
    with gateway.use(StripeGateway(api_key=SECRET_KEY, base=sandbox.url)):
        yield


@pytest.fixture
def paid(owed: Owed) -> Callable[..., Payment]:
    """Be paid 100 dollars by a card."""

    def paid(card: str = "pm_card_visa") -> Payment:
        return charge(payment_id=owed(), payment_method=card)

    return paid


def refunds_of(sandbox: Provider, payment: Payment) -> list[tuple[int, str | None]]:
    listed = sandbox.client().refunds.list({"payment_intent": str(payment.provider_ref)}).data
    return [(one.amount, one.status) for one in listed]


@pytest.fixture
def hear_all(sandbox: Provider) -> Hear:
    """Hear every event of the test, twice, in any order; those of other tests are not ours."""
    newest = sandbox.client().events.list({"limit": 1}).data
    since = {"ending_before": newest[0].id} if newest else {}

    def hear_all(seed: int) -> None:
        listed = sandbox.client().events.list({"limit": 100, **since}).data
        assert listed
        events = [one.to_dict() for one in listed] * 2
        Random(seed).shuffle(events)  # noqa: S311
        for one in events:
            now = clock.now()
            body, header = signed(one, at=now)
            with transaction():
                receive(body=body, signature=header, now=now)
            inbox.read_events()

    return hear_all


def test_hundredths_go_back(sandbox: Provider, paid: Callable[..., Payment], repaid: Repaid):
    payment = paid()
    done = ask_repayment(repaid(payment.id, amount=40).id)
    assert (done.status, done.amount) == ("succeeded", 40)
    assert refunds_of(sandbox, payment) == [(4_000, "succeeded")]


@pytest.mark.faults
@pytest.mark.parametrize("fault", ["fail_before", "fail_after_success"])
def test_a_lost_answer_gives_back_once(
    sandbox: Provider,
    paid: Callable[..., Payment],
    repaid: Repaid,
    read_back: ReadBack,
    told: Told,
    fault: str,
) -> None:
    payment = paid()
    begun = repaid(payment.id, amount=40)
    sandbox.set_faults(**{fault: ATTEMPTS})
    repaying.repay_due()
    assert read_back(begun.id).status == "intent"
    assert ask_repayment(begun.id).status == "succeeded"
    assert refunds_of(sandbox, payment) == [(4_000, "succeeded")]
    assert told() == ["paid", "refund.repaid"]


@pytest.mark.faults
def test_after_a_day_it_is_looked_for_and_asked_for_anew_only_if_it_is_not_there(
    sandbox: Provider, paid: Callable[..., Payment], repaid: Repaid, pass_time: PassTime
) -> None:
    payment = paid()
    lost, never_sent = repaid(payment.id, amount=30), repaid(payment.id, amount=20)
    sandbox.set_faults(fail_after_success=ATTEMPTS)
    ask_repayment(lost.id)
    sandbox.set_faults(fail_before=ATTEMPTS)
    ask_repayment(never_sent.id)
    pass_time(timedelta(days=1))
    repaying.repay_due()
    assert sorted(refunds_of(sandbox, payment)) == [(2_000, "succeeded"), (3_000, "succeeded")]


def test_what_the_provider_refuses_has_failed(
    sandbox: Provider, paid: Callable[..., Payment], repaid: Repaid
) -> None:
    payment = paid()
    sandbox.client().refunds.create({"payment_intent": str(payment.provider_ref)})
    failed = ask_repayment(repaid(payment.id).id)
    assert (failed.status, failed.failure) == ("failed", "charge_already_refunded")


def test_a_payment_that_a_bank_has_taken_back_is_not_repaid(
    sandbox: Provider, paid: Callable[..., Payment], repaid: Repaid
) -> None:
    payment = paid()
    sandbox.act("disputes", payment_intent=str(payment.provider_ref))
    failed = ask_repayment(repaid(payment.id).id)
    assert (failed.status, failed.failure) == ("failed", "charge_disputed")


@pytest.mark.parametrize("seed", range(3))
def test_a_repayment_that_is_done_and_fails_later_ends_the_same_in_any_order(
    sandbox: Provider,
    paid: Callable[..., Payment],
    repaid: Repaid,
    read: Read,
    read_back: ReadBack,
    told: Told,
    hear_all: Hear,
    seed: int,
) -> None:
    sandbox.set_faults(settle_refunds_ms=3_600_000)
    payment = paid("pm_card_pendingRefund")
    begun = repaid(payment.id)
    assert ask_repayment(begun.id).status == "processing"
    ref = str(read_back(begun.id).provider_ref)
    sandbox.act(f"refunds/{ref}/settle", outcome="succeeded")
    assert ask_repayment(begun.id).status == "succeeded"
    sandbox.act(f"refunds/{ref}/settle", outcome="failed", failure_reason="lost_or_stolen_card")
    hear_all(seed)
    failed = read_back(begun.id)
    assert (failed.status, failed.failure) == ("failed", "lost_or_stolen_card")
    assert read(payment.id).repaid == 0
    assert told() == ["paid", "refund.repaid", "refund.repayment_failed"]


@pytest.mark.parametrize("outcome", ["won", "lost"])
@pytest.mark.parametrize("seed", range(2))
def test_a_dispute_ends_the_same_in_any_order(
    sandbox: Provider,
    paid: Callable[..., Payment],
    told: Told,
    hear_all: Hear,
    outcome: str,
    seed: int,
) -> None:
    payment = paid()
    ref = str(sandbox.act("disputes", payment_intent=str(payment.provider_ref))["id"])
    hear_all(seed)
    assert [one.status for one in _disputes(payment)] == ["open"]
    sandbox.act(f"disputes/{ref}/decide", outcome=outcome)
    hear_all(seed + 10)
    (dispute,) = _disputes(payment)
    assert (dispute.status, dispute.amount, dispute.currency) == (outcome, 100, "TWD")
    assert [one for one in told() if one == "dispute"] == ["dispute", "dispute"]


def _disputes(payment: Payment) -> list[Dispute]:
    with transaction():
        return list(payments.list_disputes(payment_id=payment.id))


def test_an_inquiry_is_no_dispute_yet(paid: Callable[..., Payment], hear_all: Hear) -> None:
    payment = paid("pm_card_createDisputeInquiry")
    hear_all(1)
    assert _disputes(payment) == []
    listed = cards().list_disputes(
        since=payment.created_at - timedelta(hours=1), until=_later(), after=None
    )
    (seen,) = [one for one in listed.items if one.payment_ref == payment.provider_ref]
    assert seen.status == "inquiry"


def _later() -> datetime:
    return clock.now() + timedelta(minutes=1)


def test_the_payer_pays_in_the_form(sandbox: Provider, owed: Owed, told: Told) -> None:
    payment = charge(payment_id=owed(by_holder=True, save_card=True))
    assert payment.status == "requires_action"
    _fill_in(sandbox, payment, "pm_card_chargeDeclined")
    open_still = charge(payment_id=payment.id)
    assert (open_still.status, told()) == ("requires_action", [])
    assert open_still.client_secret == payment.client_secret
    _fill_in(sandbox, payment, "pm_card_visa")
    paid = charge(payment_id=payment.id)
    assert (paid.status, paid.client_secret) == ("succeeded", None)
    assert paid.card_id is not None
    assert told() == ["paid"]


def _fill_in(sandbox: Provider, payment: Payment, card: str) -> None:
    """As the provider's form does in the payer's browser, with the publishable key."""
    answer = {"client_secret": payment.client_secret, "payment_method": card}
    place = f"/v1/payment_intents/{payment.provider_ref}/confirm"
    sandbox.raw("POST", place, key=PUBLISHABLE_KEY, data=answer)


@pytest.mark.faults
@pytest.mark.parametrize("fault", ["fail_before", "fail_after_success"])
def test_a_lost_answer_opens_one_form(sandbox: Provider, owed: Owed, fault: str) -> None:
    payment_id = owed(by_holder=True)
    sandbox.set_faults(**{fault: ATTEMPTS})
    charge(payment_id=payment_id)
    payment = charge(payment_id=payment_id)
    assert payment.status == "requires_action"
    _fill_in(sandbox, payment, "pm_card_visa")
    assert charge(payment_id=payment_id).status == "succeeded"
    assert _charges(sandbox, payment_id) == 1


def _charges(sandbox: Provider, payment_id: UUID) -> int:
    """How often money was taken for a payment."""
    listed = sandbox.client().charges.list({"limit": 100}).data
    intents = sandbox.client().payment_intents.list({"limit": 100}).data
    ours = {
        one.id for one in intents if one.metadata.to_dict().get("payment_id") == str(payment_id)
    }
    return sum(one.payment_intent in ours and one.status == "succeeded" for one in listed)


@pytest.mark.faults
@pytest.mark.parametrize("lost", range(ATTEMPTS, 3 * ATTEMPTS))
@pytest.mark.parametrize("fault", ["fail_before", "fail_after_success"])
def test_whatever_call_of_a_payment_is_lost_there_is_one_charge(
    sandbox: Provider, owed: Owed, told: Told, fault: str, lost: int
) -> None:
    """The calls of a first payment: make the customer, charge. A tired payer tries four times."""
    payment_id = owed()
    sandbox.set_faults(**{fault: lost})
    for _ in range(4):
        payment = charge(payment_id=payment_id, payment_method="pm_card_visa", save_card=True)
    assert payment.status == "succeeded"
    assert payment.card_id is not None
    assert _charges(sandbox, payment_id) == 1
    assert told() == ["paid"]


@pytest.mark.faults
@pytest.mark.parametrize("fault", ["fail_before", "fail_after_success"])
def test_a_lost_answer_saves_a_card_once(sandbox: Provider, fault: str) -> None:
    member_id = new_id()
    sandbox.set_faults(**{fault: 2 * ATTEMPTS})
    for _ in range(2):
        with pytest.raises(Unavailable):
            save_card(member_id=member_id, payment_method="pm_card_visa", now=clock.now())
    sandbox.set_faults(**{fault: 0})
    first = save_card(member_id=member_id, payment_method="pm_card_visa", now=clock.now())
    again = save_card(member_id=member_id, payment_method="pm_card_visa", now=clock.now())
    assert first.id == again.id
    customer_ref = cards().make_customer(member_id=member_id)
    listed = sandbox.client().customers.list({"limit": 100}).data
    ours = [
        one.id
        for one in listed
        if (one.metadata or {}).to_dict().get("member_id") == str(member_id)
    ]
    assert ours == [customer_ref]


@pytest.mark.faults
@pytest.mark.parametrize("fault", ["fail_before", "fail_after_success"])
def test_a_lost_answer_to_giving_up_is_asked_for_again(
    sandbox: Provider, owed: Owed, fault: str
) -> None:
    payment = charge(payment_id=owed(), payment_method="pm_card_authenticationRequired")
    sandbox.set_faults(**{fault: ATTEMPTS})
    assert cancel(payment_id=payment.id).settled_at is None
    assert cancel(payment_id=payment.id).status == "cancelled"
    assert _charges(sandbox, payment.id) == 0


def test_what_the_provider_knows_nothing_of_is_told_from_silence() -> None:
    with pytest.raises(UnknownToProvider):
        cards().get_intent("pi_nothing")
    with pytest.raises(UnknownToProvider):
        cards().get_repayment("re_nothing")
    with pytest.raises(UnknownToProvider):
        cards().get_dispute("dp_nothing")


@pytest.mark.faults
def test_the_hourly_look_repairs_what_no_event_told_of(
    sandbox: Provider,
    owed: Owed,
    paid: Callable[..., Payment],
    repaid: Repaid,
    read: Read,
    read_back: ReadBack,
    told: Told,
    pass_time: PassTime,
) -> None:
    lost_id = owed()
    charge(payment_id=owed(), payment_method="pm_card_visa")  # its customer is known
    sandbox.set_faults(fail_after_success=2 * ATTEMPTS)
    for _ in range(2):
        charge(payment_id=lost_id, payment_method="pm_card_visa")
    sandbox.set_faults(fail_after_success=0)
    payment = paid()
    begun = repaid(payment.id, amount=30)
    sandbox.set_faults(fail_after_success=ATTEMPTS)
    ask_repayment(begun.id)
    disputed = paid()
    sandbox.act("disputes", payment_intent=str(disputed.provider_ref))
    by_hand = sandbox.client().refunds.create(
        {"payment_intent": str(payment.provider_ref), "amount": 1_000}
    )
    strange = sandbox.client().payment_intents.create(
        {
            "amount": 7_000,
            "currency": "twd",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
    pass_time(timedelta(hours=1, minutes=3))
    look()
    assert read_back(begun.id).status == "succeeded"
    assert [one.status for one in _disputes(disputed)] == ["open"]
    kinds = {one.ref: one.kind for one in _differences()}
    assert kinds[strange.id] == "unknown_to_us"
    assert kinds[by_hand.id] == "repayment_unknown_to_us"
    ours = {read(one).provider_ref for one in (lost_id, payment.id, disputed.id)}
    assert ours.isdisjoint(kinds)
    assert told().count("refund.repaid") == 1


def _differences() -> list[PaymentDifference]:
    with transaction():
        return list(payments.list_differences(after=None, limit=200))
