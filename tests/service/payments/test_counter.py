"""Cash in a drawer, and what a shift has taken."""

from collections.abc import Callable
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

import payments
from kernel import clock
from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.transaction import transaction
from payments import (
    CountUnexplained,
    HandedOut,
    Payment,
    PaymentUnderWay,
    Repayment,
    ShiftClosed,
    ShiftSum,
    ShiftTotal,
    inbox,
    repaying,
)
from payments.exchanged import Intent, SeenRepayment
from payments.looking.comparing import compare_payments, compare_repayments
from tests.events import event, signed
from tests.fakes import GOOD, WANTS_HOLDER, FakeGateway
from tests.together import together
from tests.world import Till, World

Owed = Callable[..., UUID]
Read = Callable[[UUID], Payment]
Repaid = Callable[..., Repayment]
Told = Callable[[], list[str]]

PURPOSE = "test_purpose"


@pytest.fixture
def till(world: World) -> Till:
    return world.add_till("A")


def take(till: Till, *, amount: int = 100, **asked: object) -> Payment:
    with transaction():
        return taken(till, amount=amount, **asked)


def taken(till: Till, *, amount: int = 100, **asked: object) -> Payment:
    facts = {"member_id": new_id(), "purpose_id": new_id(), "currency": "TWD"} | asked
    return payments.take_cash(
        purpose=PURPOSE, amount=amount, shift_id=till.shift_id, now=clock.now(), **facts
    )


def sums(till: Till) -> list[ShiftSum]:
    with transaction():
        return list(payments.shift_sums(till.shift_id))


def close(till: Till, note: str | None = None, **counted: int) -> list[ShiftTotal]:
    with transaction():
        return closed(till, note, **counted)


def closed(till: Till, note: str | None = None, **counted: int) -> list[ShiftTotal]:
    return list(
        payments.close_shift(
            shift_id=till.shift_id, counted=counted, note=note, by_id=till.staff_id, now=clock.now()
        )
    )


def hand_out(till: Till, repayment_id: UUID) -> Repayment:
    with transaction():
        return payments.hand_out(repayment_id=repayment_id, shift_id=till.shift_id, now=clock.now())


def test_cash_pays_at_once(till: Till, told: Told) -> None:
    payment = take(till)
    assert (payment.status, payment.provider, payment.shift_id) == (
        "succeeded",
        "cash",
        till.shift_id,
    )
    assert told() == ["paid"]


def test_who_fulfils_at_once_is_not_told(till: Till, told: Told) -> None:
    take(till, is_told=False)
    assert told() == []


def test_cash_is_taken_once_for_a_purpose(app: Flask, till: Till) -> None:
    purpose_id, member_id = new_id(), new_id()
    facts = {"purpose_id": purpose_id, "member_id": member_id}
    answers = together(app, [lambda: taken(till, **facts).id] * 6)
    assert len({one for one in answers if isinstance(one, UUID)}) == 1
    assert sums(till) == [ShiftSum("TWD", 100, 0)]


def test_what_a_card_has_paid_is_not_taken_again(
    provider: FakeGateway, till: Till, owed: Owed
) -> None:
    del provider
    purpose_id = new_id()
    by_card = payments.charge(payment_id=owed(purpose_id=purpose_id), payment_method=GOOD)
    assert take(till, purpose_id=purpose_id).id == by_card.id
    assert sums(till) == []


def test_no_cash_is_taken_while_a_provider_may_still_take_the_money(
    provider: FakeGateway, till: Till, owed: Owed
) -> None:
    del provider
    purpose_id = new_id()
    waiting = payments.charge(payment_id=owed(purpose_id=purpose_id), payment_method=WANTS_HOLDER)
    with pytest.raises(PaymentUnderWay) as refused:
        take(till, purpose_id=purpose_id)
    assert refused.value.facts == {"payment_id": str(waiting.id)}
    payments.cancel(payment_id=waiting.id)
    assert take(till, purpose_id=purpose_id).provider == "cash"


def test_what_nobody_was_asked_for_gives_way_to_cash(till: Till, owed: Owed, read: Read) -> None:
    purpose_id = new_id()
    unasked = owed(purpose_id=purpose_id, payment_method=GOOD)
    assert take(till, purpose_id=purpose_id).attempt == 2
    assert read(unasked).failure == "never_asked"


def test_cash_goes_back_when_a_clerk_hands_it_out(
    till: Till, repaid: Repaid, told: Told, read: Read
) -> None:
    payment = take(till)
    waiting = repaid(payment.id, amount=30)
    repaying.repay_due()
    assert (waiting.status, waiting.due_at) == ("processing", None)
    with transaction():
        assert [one.id for one in payments.list_to_hand_out(after=None, limit=10)] == [waiting.id]
        assert payments.list_to_hand_out(after=waiting.id, limit=10) == []
    assert sums(till) == [ShiftSum("TWD", 100, 0)]
    assert hand_out(till, waiting.id).status == "succeeded"
    with pytest.raises(HandedOut):
        hand_out(till, waiting.id)
    assert sums(till) == [ShiftSum("TWD", 70, 0)]
    assert read(payment.id).repaid == 30
    assert told() == ["paid", "refund.repaid"]


def test_only_cash_is_handed_out(provider: FakeGateway, till: Till, owed: Owed, repaid: Repaid):
    del provider
    by_card = payments.charge(payment_id=owed(), payment_method=GOOD)
    repayment = repaid(by_card.id)
    with pytest.raises(NotFound):
        hand_out(till, repayment.id)
    with pytest.raises(NotFound):
        hand_out(till, new_id())


def test_another_shift_hands_out_what_this_one_took(
    world: World, till: Till, repaid: Repaid
) -> None:
    other = world.add_till("B")
    hand_out(other, repaid(take(till).id).id)
    assert sums(till) == [ShiftSum("TWD", 100, 0)]
    assert sums(other) == [ShiftSum("TWD", -100, 0)]


def test_cash_that_two_tills_hand_out_at_once_is_handed_out_by_one(
    app: Flask, world: World, till: Till, repaid: Repaid
) -> None:
    waiting, tills = repaid(take(till).id).id, [till, world.add_till("B"), world.add_till("A")]

    def handing(one: Till) -> Callable[[], str]:
        return lambda: (
            payments.hand_out(repayment_id=waiting, shift_id=one.shift_id, now=clock.now()).status
        )

    answers = together(app, [handing(one) for one in tills])

    assert [one for one in answers if not isinstance(one, HandedOut)] == ["succeeded"]
    assert sum(one.cash for clerk in tills for one in sums(clerk)) == 0


def test_a_shift_is_counted_once(till: Till) -> None:
    take(till)
    (total,) = close(till, TWD=100)
    assert (total.currency, total.cash, total.terminal, total.counted, total.note) == (
        "TWD", 100, 0, 100, None,
    )  # fmt: skip
    (again,) = close(till, "somebody counts again", TWD=5)
    assert (again.counted, again.note) == (100, None)


def test_a_shift_that_took_nothing_is_counted_too(till: Till) -> None:
    (total,) = close(till, TWD=0)
    assert (total.cash, total.counted) == (0, 0)
    with pytest.raises(ShiftClosed):
        take(till)


def test_a_count_names_a_currency(till: Till) -> None:
    with pytest.raises(ValueError, match="names a currency"):
        close(till)


def test_a_difference_wants_a_note(till: Till) -> None:
    take(till)
    with pytest.raises(CountUnexplained) as refused:
        close(till, TWD=90)
    assert refused.value.facts == {"currency": "TWD", "expected": 100, "counted": 90}
    (total,) = close(till, "ten dollars are missing", TWD=90)
    assert (total.cash, total.counted, total.note) == (100, 90, "ten dollars are missing")


def test_what_is_not_counted_counts_as_none(till: Till) -> None:
    take(till, currency="JPY")
    with pytest.raises(CountUnexplained):
        close(till, TWD=0)
    totals = close(till, "the yen were lost", TWD=0)
    assert [(one.currency, one.cash, one.counted) for one in totals] == [
        ("JPY", 100, 0),
        ("TWD", 0, 0),
    ]


def test_nothing_moves_in_the_name_of_a_counted_shift(till: Till, repaid: Repaid) -> None:
    waiting = repaid(take(till).id)
    close(till, TWD=100)
    with pytest.raises(ShiftClosed):
        take(till)
    with pytest.raises(ShiftClosed):
        hand_out(till, waiting.id)


def test_a_shift_that_nobody_knows_is_not_counted(world: World, till: Till) -> None:
    del world
    stranger = Till("", new_id(), till.device_id, till.staff_id, till.store_id)
    with pytest.raises(NotFound):
        close(stranger, TWD=0)
    with pytest.raises(NotFound):
        take(stranger)


def test_cash_that_is_taken_during_the_count_is_in_it_or_refused(app: Flask, world: World) -> None:
    """Fails when either lock on the shift is taken out."""
    for _ in range(5):
        clerk = world.add_till("A")

        def count(clerk: Till = clerk) -> int:
            return sum(one.cash for one in closed(clerk, "counted in a race", TWD=0))

        def sell(clerk: Till = clerk) -> int:
            return taken(clerk).amount

        together(app, [count, sell, sell, sell, sell, sell])
        (total,) = close(clerk, TWD=0)
        assert sums(clerk) == ([ShiftSum("TWD", total.cash, 0)] if total.cash else [])


def test_a_card_payment_that_names_cash_changes_nothing_of_it(
    till: Till, provider: FakeGateway, read: Read
) -> None:
    payment = take(till)
    seen = Intent("pi_1", "succeeded", payment.id, 100, "TWD")
    provider.intents["pi_1"], provider.made_at["pi_1"] = seen, clock.now()
    tell("payment_intent.succeeded", "pi_1")
    found = looked_at(seen)
    assert (read(payment.id).provider_ref, found) == (None, ["unknown_to_us"])


def test_a_card_repayment_that_names_cash_hands_none_out(
    till: Till, provider: FakeGateway, repaid: Repaid, read_back: Callable[[UUID], Repayment]
) -> None:
    waiting = repaid(take(till).id)
    seen = SeenRepayment("re_1", "succeeded", waiting.id, "pi_1", 100, "TWD")
    provider.repayments["re_1"] = seen
    tell("refund.updated", "re_1")
    found = looked_at(seen)
    assert (read_back(waiting.id).status, found) == ("processing", ["repayment_unknown_to_us"])


def test_the_database_lets_no_cash_go_without_a_shift(till: Till, repaid: Repaid) -> None:
    waiting = repaid(take(till).id)
    gone = update(Repayment).where(Repayment.id == waiting.id)
    succeeded = gone.values(status="succeeded", settled_at=clock.now())
    with pytest.raises(IntegrityError, match="cash_has_shift"), transaction():
        db.session.execute(succeeded)


def tell(kind: str, ref: str) -> None:
    now = clock.now()
    body, header = signed(event(kind, ref), at=now)
    with transaction():
        payments.receive(body=body, signature=header, now=now)
    inbox.read_events()


def looked_at(seen: Intent | SeenRepayment) -> list[str]:
    """Hold one thing of the cards' provider against ours; answers the differences."""
    with transaction():
        if isinstance(seen, Intent):
            compare_payments("stripe", [seen], now=clock.now())
        else:
            compare_repayments("stripe", [seen], now=clock.now())
        return [one.kind for one in payments.list_differences(after=None, limit=9)]
