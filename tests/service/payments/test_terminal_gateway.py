"""The room with the card terminals' provider, against the sandbox in a process of its own."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask

import payments
from kernel import clock
from kernel.ids import new_id
from kernel.transaction import transaction
from payments import (
    NoAnswer,
    Payment,
    PaymentDifference,
    PaymentUnderWay,
    Repayment,
    ShiftClosed,
    ShiftSum,
    cancel,
    charge,
    gateway,
    repaying,
    sweep,
)
from payments.errors import UnknownToProvider
from payments.gateway import TERMINAL, Repay
from payments.looking.duty import look
from payments.service.ask_repayment import ask_repayment
from payments.terminal_gateway import TerminalGateway
from tests.fakes import FakeGateway
from tests.sandbox.provider import SECRET_KEY, Provider
from tests.world import Till, World

Owed = Callable[..., UUID]
Read = Callable[[UUID], Payment]
ReadBack = Callable[[UUID], Repayment]
Repaid = Callable[..., Repayment]
Told = Callable[[], list[str]]
PassTime = Callable[[timedelta], datetime]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    sandbox = Provider(tmp_path_factory.mktemp("sandbox"))
    sandbox.start()
    yield sandbox
    sandbox.stop()


@pytest.fixture(autouse=True)
def terminal_in_use(app: Flask, sandbox: Provider) -> Iterator[None]:
    """Nobody stands at the terminals, but for the test."""
    del app
    sandbox.raw("DELETE", "/v1/test_helpers/faults").raise_for_status()
    sandbox.set_faults(terminal_taps=0)
    with gateway.use(TerminalGateway(base=sandbox.url, api_key=SECRET_KEY), TERMINAL):
        yield


@pytest.fixture
def till(world: World) -> Till:
    return world.add_till("A")


@pytest.fixture
def asked(till: Till, owed: Owed) -> Callable[..., Payment]:
    """Show 100 dollars on the terminal of a till."""

    def asked(**facts: object) -> Payment:
        at_counter = {"provider": TERMINAL, "payment_method": "till-1", "shift_id": till.shift_id}
        return charge(payment_id=owed(**at_counter, **facts))

    return asked


def tap(sandbox: Provider, payment: Payment, outcome: str = "approved") -> None:
    place = f"/terminal/v1/test_helpers/payments/{payment.id}/tap"
    sandbox.raw("POST", place, json={"outcome": outcome}).raise_for_status()


def shown(sandbox: Provider, payment: Payment) -> dict[str, object]:
    answer = sandbox.raw("GET", f"/terminal/v1/payments/{payment.id}").raise_for_status()
    return dict(answer.json())


def test_the_clerk_asks_again_until_a_card_was_held_to_it(
    sandbox: Provider, asked: Callable[..., Payment], told: Told
) -> None:
    payment = asked()
    assert payment.status == "processing"
    assert shown(sandbox, payment)["amount"] == 100
    tap(sandbox, payment)
    paid = charge(payment_id=payment.id)
    assert (paid.status, paid.provider_ref) == ("succeeded", str(payment.id))
    assert told() == ["paid"]


def test_the_sweep_asks_every_two_seconds_while_a_clerk_waits(
    sandbox: Provider, asked: Callable[..., Payment], read: Read, pass_time: PassTime
) -> None:
    payment = asked()
    pass_time(timedelta(seconds=2, milliseconds=1))
    sweep.ask_again()
    due_at = read(payment.id).due_at
    assert due_at is not None
    assert due_at - clock.now() <= timedelta(seconds=2)
    tap(sandbox, payment)
    pass_time(timedelta(seconds=2, milliseconds=1))
    sweep.ask_again()
    assert read(payment.id).status == "succeeded"


def test_a_refused_card_ends_the_attempt_and_another_one_begins(
    sandbox: Provider, asked: Callable[..., Payment], told: Told
) -> None:
    purpose_id = new_id()
    payment = asked(purpose_id=purpose_id)
    tap(sandbox, payment, "declined")
    refused = charge(payment_id=payment.id)
    assert (refused.status, refused.failure) == ("failed", "card_declined")
    second = asked(purpose_id=purpose_id)
    tap(sandbox, second)
    assert charge(payment_id=second.id).status == "succeeded"
    assert told() == ["payment_failed", "paid"]


def test_the_clerk_takes_the_amount_off_the_terminal(
    sandbox: Provider, asked: Callable[..., Payment]
) -> None:
    payment = asked()
    assert cancel(payment_id=payment.id).status == "cancelled"
    assert shown(sandbox, payment)["status"] == "cancelled"


def test_what_was_paid_meanwhile_is_not_given_up(
    sandbox: Provider, asked: Callable[..., Payment]
) -> None:
    payment = asked()
    tap(sandbox, payment)
    assert cancel(payment_id=payment.id).status == "succeeded"


@pytest.mark.parametrize("fault", ["fail_before", "fail_after_success"])
def test_a_lost_answer_shows_the_amount_once(
    sandbox: Provider, asked: Callable[..., Payment], told: Told, fault: str
) -> None:
    sandbox.set_faults(**{fault: 1})
    payment = asked()
    assert (payment.status, payment.provider_ref) == ("processing", None)
    assert charge(payment_id=payment.id).provider_ref == str(payment.id)
    tap(sandbox, payment)
    assert charge(payment_id=payment.id).status == "succeeded"
    assert told() == ["paid"]


@pytest.mark.parametrize("fault", ["fail_before", "fail_after_success"])
def test_a_lost_answer_to_giving_up_is_asked_for_again(
    sandbox: Provider, asked: Callable[..., Payment], fault: str
) -> None:
    payment = asked()
    sandbox.set_faults(**{fault: 1})
    assert cancel(payment_id=payment.id).status == "processing"
    assert cancel(payment_id=payment.id).status == "cancelled"


@pytest.mark.parametrize("fault", ["fail_before", "fail_after_success"])
def test_a_lost_answer_gives_back_once(
    sandbox: Provider,
    asked: Callable[..., Payment],
    repaid: Repaid,
    read_back: ReadBack,
    told: Told,
    fault: str,
) -> None:
    payment = asked()
    tap(sandbox, payment)
    charge(payment_id=payment.id)
    begun = repaid(payment.id, amount=30)
    sandbox.set_faults(**{fault: 1})
    repaying.repay_due()
    assert read_back(begun.id).status == "intent"
    assert ask_repayment(begun.id).status == "succeeded"
    assert shown(sandbox, payment)["refunded"] == 30
    assert told() == ["paid", "refund.repaid"]


def test_after_a_day_of_silence_it_is_looked_for_first(
    sandbox: Provider,
    asked: Callable[..., Payment],
    repaid: Repaid,
    read_back: ReadBack,
    pass_time: PassTime,
) -> None:
    payment = asked()
    tap(sandbox, payment)
    charge(payment_id=payment.id)
    lost, never_sent = repaid(payment.id, amount=30), repaid(payment.id, amount=20)
    sandbox.set_faults(fail_after_success=1)
    ask_repayment(lost.id)
    sandbox.set_faults(fail_before=1)
    ask_repayment(never_sent.id)
    pass_time(timedelta(days=1))
    repaying.repay_due()
    assert {read_back(one.id).status for one in (lost, never_sent)} == {"succeeded"}
    assert shown(sandbox, payment)["refunded"] == 50


def test_what_the_terminals_provider_refuses_has_failed(
    sandbox: Provider, asked: Callable[..., Payment], repaid: Repaid
) -> None:
    payment = asked()
    tap(sandbox, payment)
    charge(payment_id=payment.id)
    by_hand = {"payment": str(payment.id), "amount": 80}
    sandbox.raw("PUT", f"/terminal/v1/refunds/{new_id()}", json=by_hand).raise_for_status()
    failed = ask_repayment(repaid(payment.id, amount=30).id)
    assert (failed.status, failed.failure) == ("failed", "more_than_paid")


def test_a_shift_counts_its_terminal(
    sandbox: Provider, till: Till, asked: Callable[..., Payment]
) -> None:
    payment = asked()

    def close() -> None:
        with transaction():
            payments.close_shift(
                shift_id=till.shift_id,
                counted={"TWD": 0},
                note=None,
                by_id=till.staff_id,
                now=clock.now(),
            )

    with pytest.raises(PaymentUnderWay):
        close()
    tap(sandbox, payment)
    charge(payment_id=payment.id)
    with transaction():
        assert payments.shift_sums(till.shift_id) == [ShiftSum("TWD", 0, 100)]
    close()
    with pytest.raises(ShiftClosed):
        asked()


def test_the_hourly_look_holds_the_terminals_against_ours(
    provider: FakeGateway,
    sandbox: Provider,
    asked: Callable[..., Payment],
    repaid: Repaid,
    read: Read,
    read_back: ReadBack,
    pass_time: PassTime,
) -> None:
    del provider
    payment = asked()
    tap(sandbox, payment)
    charge(payment_id=payment.id)
    begun = repaid(payment.id, amount=30)
    sandbox.set_faults(fail_after_success=1)
    ask_repayment(begun.id)
    unheard = asked()
    tap(sandbox, unheard)
    strange = {"amount": 70, "currency": "TWD", "terminal": "till-9"}
    ref = f"by-hand-{new_id().hex}"
    sandbox.raw("PUT", f"/terminal/v1/payments/{ref}", json=strange).raise_for_status()
    tap_by_hand = f"/terminal/v1/test_helpers/payments/{ref}/tap"
    sandbox.raw("POST", tap_by_hand, json={"outcome": "approved"}).raise_for_status()
    pass_time(timedelta(hours=1, minutes=3))
    look()
    assert read(unheard.id).status == "succeeded"
    assert read_back(begun.id).status == "succeeded"
    assert ref in {one.ref for one in _differences()}
    ours = {str(one) for one in (payment.id, unheard.id, begun.id)}
    assert ours.isdisjoint({one.ref for one in _differences()})


def _differences() -> list[PaymentDifference]:
    with transaction():
        return list(payments.list_differences(after=None, limit=100))


def test_silence_is_no_answer() -> None:
    nobody = TerminalGateway(base="http://127.0.0.1:9", api_key="x")
    with pytest.raises(NoAnswer):
        nobody.get_intent(str(new_id()))


def test_an_unknown_reference_is_told_from_silence() -> None:
    terminal = gateway.provider(TERMINAL)
    with pytest.raises(UnknownToProvider):
        terminal.get_intent(str(new_id()))
    assert terminal.find_intent(payment_id=new_id(), customer_ref=None, since=clock.now()) is None


def test_a_wrong_key_is_a_mistake_of_ours(sandbox: Provider) -> None:
    stranger = TerminalGateway(base=sandbox.url, api_key="sk_test_wrong")
    with pytest.raises(RuntimeError, match="401"):
        stranger.get_intent(str(new_id()))


def test_a_terminal_that_cannot_be_is_a_failed_attempt(till: Till, owed: Owed, told: Told) -> None:
    at_counter = {"provider": TERMINAL, "shift_id": till.shift_id}
    failed = charge(payment_id=owed(**at_counter, payment_method="no such terminal"))
    assert (failed.status, failed.failure) == ("failed", "invalid_terminal")
    assert told() == ["payment_failed"]


def test_a_payment_that_the_provider_lost_cannot_be_given_back() -> None:
    wanted = Repay(new_id(), str(new_id()), 30, "TWD")
    seen = gateway.provider(TERMINAL).repay(wanted)
    assert (seen.status, seen.failure) == ("failed", "payment_unknown")


@pytest.mark.parametrize(
    "answer",
    [
        b'HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{"id": ',
        b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
        b"not http at all\r\n\r\n",
        b"",
    ],
)
def test_an_answer_that_breaks_off_is_silence(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def speak() -> None:
            caller, _ = server.accept()
            with caller:
                caller.recv(65_536)
                caller.sendall(answer)

        with ThreadPoolExecutor(1) as speaker:
            speaker.submit(speak)
            odd = TerminalGateway(base=f"http://127.0.0.1:{port}", api_key="x")
            with pytest.raises(NoAnswer):
                odd.get_intent(str(new_id()))
