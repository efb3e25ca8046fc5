"""What the provider was seen to say of many payments, written down for who asked for them."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

import payments
from kernel import clock
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from payments import Asking, Intent, News, Payment, Wanted, charge
from tests.fakes import GOOD, FakeGateway
from tests.service.payments.conftest import PURPOSE

Owed = Callable[..., UUID]


@pytest.fixture
def asking(provider: FakeGateway, owed: Owed) -> Callable[..., Asking]:
    """Ask for 100 dollars from a saved card, off session, with nobody waiting."""
    del provider
    with_card = charge(payment_id=owed(), payment_method=GOOD, save_card=True)
    assert with_card.card_id is not None
    card_id = with_card.card_id

    def asking(*, purpose_id: UUID | None = None, is_first: bool = True) -> Asking:
        wanted = Wanted(
            member_id=with_card.member_id,
            purpose_id=purpose_id or new_id(),
            amount=100,
            currency="TWD",
            card_id=card_id,
            is_first=is_first,
        )
        with transaction():
            (begun,) = payments.begin_all(purpose=PURPOSE, wanted=[wanted], now=clock.now())
        assert begun.asking is not None
        return begun.asking

    return asking


def seen_paid(asked: Asking) -> Intent:
    ref = f"pi_{asked.payment_id.hex}"
    return Intent(ref, "succeeded", asked.payment_id, asked.amount, asked.currency)


def record(*seen: tuple[Asking, Intent | None]) -> list[News]:
    with transaction():
        told = {asked.payment_id: intent for asked, intent in seen}
        return payments.record_asked(told, now=clock.now())


def kept(asked: Asking) -> Payment:
    with transaction():
        return db.session.get_one(Payment, asked.payment_id)


def test_what_is_paid_is_news_once(asking: Callable[..., Asking]):
    asked = asking()

    first, again = (record((asked, seen_paid(asked))) for _ in range(2))

    assert first == [News(asked.payment_id, asked.purpose_id, "succeeded", None)]
    assert again == []
    paid = kept(asked)
    assert (paid.status, paid.provider_ref) == ("succeeded", f"pi_{asked.payment_id.hex}")
    assert paid.settled_at is not None
    assert paid.due_at is None


def test_each_of_a_set_is_told_of_by_itself(asking: Callable[..., Asking]):
    good, bad, silent = asking(), asking(), asking()
    declined = replace(seen_paid(bad), status="failed", failure="generic_decline")

    news = record((good, seen_paid(good)), (bad, declined), (silent, None))

    assert {(one.payment_id, one.status, one.failure) for one in news} == {
        (good.payment_id, "succeeded", None),
        (bad.payment_id, "failed", "generic_decline"),
    }
    assert [kept(one).status for one in (good, bad, silent)] == [
        *("succeeded", "failed", "processing"),
    ]


@pytest.mark.parametrize("other", [{"amount": 99}, {"currency": "USD"}])
def test_money_that_was_not_asked_for_is_not_booked(
    asking: Callable[..., Asking], other: dict[str, object]
):
    asked = asking()

    with pytest.raises(RuntimeError, match="is not what the provider shows"):
        record((asked, replace(seen_paid(asked), **other)))  # type: ignore[arg-type]

    assert kept(asked).status == "intent"


def test_an_answer_about_another_payment_is_a_bug(asking: Callable[..., Asking]):
    asked, other = asking(), asking()

    with pytest.raises(RuntimeError, match="is not what the provider shows"):
        record((asked, seen_paid(other)))

    assert [kept(one).status for one in (asked, other)] == ["intent", "intent"]


def test_an_attempt_after_others_is_paid_as_the_first_would_be(asking: Callable[..., Asking]):
    first = asking()
    record((first, replace(seen_paid(first), status="failed", failure="generic_decline")))
    second = asking(purpose_id=first.purpose_id, is_first=False)

    news = record((second, seen_paid(second)))

    assert [(one.payment_id, one.is_paid) for one in news] == [(second.payment_id, True)]
    assert kept(second).status == "succeeded"
