"""A renewal that is not paid: tried again, asked of the member, saved by a card, or lapsed."""

import json

import pytest

from kernel import outbox
from kernel.config import config
from kernel.errors import NotFound, Unavailable
from kernel.ids import new_id
from kernel.transaction import transaction
from payments import CardDeclined, charge
from payments.service.record import record
from subs import SubscriptionEnded, change_card, jobs
from subs.models import Period, Subscription
from tests.club import PHONE, SAVED, Club
from tests.conftest import Engines
from tests.fakes import DECLINED, GOOD, LOST, WANTS_HOLDER
from tests.service.subs.buying import get


def failing(club: Club, card: str = DECLINED) -> Subscription:
    """A subscription whose first renewal has just been declined."""
    mine = club.subscribe(card=card)
    club.go_to(club.periods(mine)[0].ends_at)
    club.renew()
    return club.subscription(mine)


def waiting(club: Club) -> Subscription:
    """A subscription whose first renewal waits for the member's authentication."""
    mine = club.subscribe(card=WANTS_HOLDER)
    club.go_to(club.periods(mine)[0].ends_at)
    club.renew()
    return club.subscription(mine)


def due_period(club: Club, one: Subscription) -> Period:
    return club.periods(one.id)[-1]


def days_of_attempts(club: Club, one: Subscription, *, days: int) -> list[int]:
    """Run the jobs every day, and answer on which days the bank was asked."""
    seen = club.charges
    tried = []
    for day in range(1, days + 1):
        club.pass_time(days=1, minutes=1)
        club.renew()
        if club.charges > seen:
            tried.append(day)
        seen = club.charges
    assert len(club.periods(one.id)) == 2
    return tried


def test_a_declined_renewal_grants_nothing_and_is_past_due(club: Club):
    failed = failing(club)

    period = due_period(club, failed)
    assert failed.status == "past_due"
    assert (period.status, period.attempts, period.payment_id) == ("due", 1, None)
    assert len(club.lots()) == 1


def test_a_declined_renewal_is_tried_five_times_and_lapses_once(club: Club):
    failed = failing(club)

    tried = days_of_attempts(club, failed, days=40)

    lapsed = club.subscription(failed.id)
    assert tried == [2, 7, 14, 21]
    assert (lapsed.status, lapsed.due_at) == ("lapsed", None)
    assert lapsed.ended_at is not None
    assert due_period(club, failed).status == "unpaid"
    assert len(club.lots()) == 1


def test_a_plan_is_tried_on_the_days_and_for_the_grace_of_its_own_terms(club: Club):
    club.add_plan("hasty", dunning_days=[1, 3], grace_days=6)
    mine = club.subscribe("hasty", card=DECLINED)
    club.go_to(club.periods(mine)[0].ends_at)
    club.renew()
    failed = club.subscription(mine)

    tried = days_of_attempts(club, failed, days=5)

    assert tried == [1, 4]
    assert club.subscription(mine).status == "past_due"
    club.pass_time(days=1)
    club.renew()
    assert club.subscription(mine).status == "lapsed"


def test_what_has_lapsed_is_begun_anew_by_its_member_and_not_by_a_late_payment(club: Club):
    asked = waiting(club)
    (payment,) = club.asked()
    club.go_to(due_period(club, asked).lapses_at)
    for _ in range(2):
        jobs.renew_due()  # nobody has told the bank yet that its money is not wanted any more
    lapsed = club.subscription(asked.id)

    club.authenticate(payment)
    club.mend_cards()
    club.pass_time(days=40)
    club.renew()

    left = club.subscription(asked.id)
    assert (lapsed.status, left.status, left.ended_at) == ("lapsed", "lapsed", lapsed.ended_at)
    assert club.returned() == [499]
    (anew,) = get(club, "monthly")
    assert (anew.status, anew.id != asked.id) == ("active", True)
    assert [period.status for period in club.periods(asked.id)] == ["paid", "unpaid"]
    assert [lot.subscription_id for lot in club.lots() if lot.sold_at > left.ended_at] == [anew.id]


def test_a_later_attempt_that_succeeds_recovers_the_plan_on_its_old_dates(club: Club):
    failed = failing(club)
    club.mend_cards()

    club.pass_time(days=2, minutes=1)
    club.renew()

    first, second = club.periods(failed.id)
    recovered = club.subscription(failed.id)
    assert (recovered.status, recovered.due_at) == ("active", second.ends_at)
    assert (second.status, second.attempts, second.starts_at) == ("paid", 2, first.ends_at)
    assert len(club.lots()) == 2


def test_a_hard_decline_is_not_tried_again_and_lapses_after_the_grace(club: Club):
    failed = failing(club, LOST)

    tried = days_of_attempts(club, failed, days=27)

    assert tried == []
    assert club.subscription(failed.id).status == "past_due"
    club.pass_time(days=1)
    club.renew()
    assert club.subscription(failed.id).status == "lapsed"


def test_a_new_card_is_charged_at_once_even_after_a_hard_decline(club: Club):
    failed = failing(club, LOST)

    club.change_card(failed.id, GOOD)
    club.renew()

    assert club.asked()[-1].method_ref == SAVED + GOOD
    assert club.subscription(failed.id).status == "active"
    assert len(club.lots()) == 2


def test_a_new_card_of_an_active_plan_is_charged_at_its_end_and_not_before(club: Club):
    mine = club.subscribe(card=DECLINED)

    club.change_card(mine, GOOD)
    club.renew()

    assert club.charges == 0
    club.go_to(club.periods(mine)[0].ends_at)
    club.renew()
    assert [(one.method_ref, one.status) for one in club.asked()] == [(SAVED + GOOD, "succeeded")]


def test_a_refused_card_changes_nothing(club: Club):
    failed = failing(club)

    with pytest.raises(CardDeclined):
        club.change_card(failed.id, LOST)

    assert club.subscription(failed.id).card_id == failed.card_id
    assert club.subscription(failed.id).due_at == failed.due_at


def test_a_silent_provider_changes_no_card(club: Club):
    mine = club.subscribe()
    before = club.subscription(mine).card_id
    club.bank.is_silent = True

    with pytest.raises(Unavailable):
        club.change_card(mine, DECLINED)

    assert club.subscription(mine).card_id == before


def test_a_provider_that_charged_and_fell_silent_is_asked_again_and_charges_once(club: Club):
    mine = club.subscribe()
    club.go_to(club.periods(mine)[0].ends_at)
    club.bank.fail("charge", "after")
    club.renew()
    assert len(club.lots()) == 1

    club.pass_time(minutes=2)
    club.renew()

    assert len(club.bank.taken) == 1
    assert len(club.lots()) == 2


def test_a_card_is_not_changed_on_what_is_over_or_somebody_elses(club: Club):
    mine = club.subscribe()
    with pytest.raises(NotFound):
        change_card(member_id=new_id(), subscription_id=mine, payment_method=GOOD, now=club.now)
    club.cancel(mine)
    club.go_to(club.periods(mine)[0].ends_at)
    club.renew()

    with pytest.raises(SubscriptionEnded):
        club.change_card(mine, GOOD)


def test_a_card_that_wants_authentication_asks_the_member_and_counts_as_an_attempt(club: Club):
    asked = waiting(club)

    period = due_period(club, asked)
    (payment,) = club.asked()
    assert asked.status == "past_due"
    assert (period.attempts, period.payment_id) == (1, payment.id)
    assert period.asked_at is not None
    assert len(club.lots()) == 1


def test_authenticating_later_completes_the_same_payment(club: Club):
    asked = waiting(club)
    (payment,) = club.asked()

    club.authenticate(payment)

    assert [one.id for one in club.asked()] == [payment.id]
    assert club.subscription(asked.id).status == "active"
    assert due_period(club, asked).attempts == 2
    assert len(club.lots()) == 2


def test_a_member_who_does_not_authenticate_is_asked_again_and_the_plan_lapses(club: Club):
    asked = waiting(club)

    tried = days_of_attempts(club, asked, days=40)

    assert tried == []
    assert due_period(club, asked).attempts == 5
    assert club.subscription(asked.id).status == "lapsed"
    assert [one.status for one in club.asked()] == ["cancelled"]


def test_a_plan_whose_money_came_does_not_lapse_before_that_is_heard(club: Club):
    asked = waiting(club)
    payment = club.asked()[-1]
    club.go_to(due_period(club, asked).lapses_at)
    club.bank.authenticate(str(payment.provider_ref))
    charge(payment_id=payment.id)

    jobs.renew_due()  # the worker that hears of payments is slower
    outbox.drain()

    assert club.subscription(asked.id).status == "active"
    assert due_period(club, asked).status == "paid"


def test_a_new_card_gives_up_the_payment_that_waits_with_the_old_one(club: Club):
    asked = waiting(club)

    club.change_card(asked.id, GOOD)
    club.renew()

    old, new = club.asked()
    assert (old.status, new.status, new.method_ref) == ("cancelled", "succeeded", SAVED + GOOD)
    assert club.subscription(asked.id).status == "active"
    assert len(club.lots()) == 2


def test_a_card_changed_while_the_old_one_is_being_charged_is_tried_next(club: Club):
    failed = failing(club)
    club.pass_time(days=2, minutes=1)
    club.bank.fail("charge", "after")
    jobs.renew_due()

    club.change_card(failed.id, GOOD)
    for _ in range(2):
        club.pass_time(minutes=3)
        club.renew()

    assert [one.status for one in club.asked()] == ["failed", "failed", "succeeded"]
    assert club.subscription(failed.id).status == "active"


def test_a_card_changed_while_the_old_one_wants_its_holder_is_charged_instead(club: Club):
    mine = club.subscribe(card=WANTS_HOLDER)
    club.go_to(club.periods(mine)[0].ends_at)
    club.bank.fail("charge", "after")
    jobs.renew_due()
    club.change_card(mine, GOOD)

    for _ in range(4):
        club.pass_time(minutes=3)
        club.renew()

    assert [one.status for one in club.asked()] == ["cancelled", "succeeded"]
    assert club.subscription(mine).status == "active"
    assert len(club.lots()) == 2


def test_an_old_attempt_that_is_paid_late_gives_up_the_one_that_followed(club: Club):
    failed = failing(club)
    club.mend_cards(WANTS_HOLDER)
    club.pass_time(days=2, minutes=1)
    club.renew()
    first, _ = club.asked()
    assert first.provider_ref is not None
    club.bank.authenticate(first.provider_ref)

    with transaction():
        seen = club.bank.intents[first.provider_ref]
        record(payment_id=first.id, seen=seen, now=club.now)
    outbox.drain()

    assert [one.status for one in club.asked()] == ["succeeded", "cancelled"]
    assert club.subscription(failed.id).status == "active"
    assert len(club.lots()) == 2


def test_a_plan_to_be_cancelled_whose_renewal_wants_its_holder_ends_and_is_not_asked(club: Club):
    mine = club.subscribe(card=WANTS_HOLDER)
    club.go_to(club.periods(mine)[0].ends_at)
    club.bank.fail("charge", "after")
    jobs.renew_due()
    club.cancel(mine)

    club.pass_time(minutes=3)
    club.renew()

    assert club.subscription(mine).status == "cancelled"
    assert [one.status for one in club.asked()] == ["cancelled"]


def test_a_plan_to_be_cancelled_ends_at_once_when_its_renewal_fails(club: Club):
    mine = club.subscribe(card=DECLINED)
    ends_at = club.periods(mine)[0].ends_at
    club.go_to(ends_at)
    club.bank.fail("charge", "after")
    jobs.renew_due()
    club.cancel(mine)

    club.pass_time(minutes=3)
    club.renew()

    ended = club.subscription(mine)
    assert (ended.status, ended.ended_at) == ("cancelled", ends_at)
    assert [period.status for period in club.periods(mine)] == ["paid", "unpaid"]


def test_money_that_comes_after_the_end_goes_back_and_revives_nothing(club: Club):
    asked = waiting(club)
    (payment,) = club.asked()
    club.cancel(asked.id)

    club.authenticate(payment)

    ended = club.subscription(asked.id)
    assert (ended.status, ended.due_at) == ("cancelled", None)
    assert due_period(club, asked).status == "unpaid"
    assert len(club.lots()) == 1
    assert club.asked()[0].status == "surplus"
    assert club.causes(asked.id)[-1] == "late_payment_returned"


def test_the_member_is_asked_in_words_and_in_their_language(club: Club, engines: Engines):
    asked = waiting(club)

    (line,) = engines.message_file.read_text(encoding="utf-8").splitlines()
    sent = json.loads(line)
    assert sent["to"] == PHONE
    assert "monthly" in sent["text"]
    assert "驗證" in sent["text"]
    assert f"{config().public_origin}/s/{asked.id} " in sent["text"]


def test_a_question_that_is_answered_already_is_not_sent(club: Club, engines: Engines):
    mine = club.subscribe(card=WANTS_HOLDER)
    club.go_to(club.periods(mine)[0].ends_at)
    jobs.renew_due()
    (payment,) = club.asked()

    club.authenticate(payment)

    assert club.subscription(mine).status == "active"
    assert not engines.message_file.exists()


def test_a_wait_for_the_bank_is_no_reason_to_ask_it_every_minute(club: Club):
    waiting(club)
    asked = club.charges

    for _ in range(5):
        club.pass_time(minutes=10)
        club.renew()

    assert club.charges == asked


def test_a_decline_that_nobody_has_heard_of_yet_is_not_followed_by_another_attempt(club: Club):
    mine = club.subscribe(card=DECLINED)
    club.go_to(club.periods(mine)[0].ends_at)
    for _ in range(3):
        club.bank.fail("charge", "after")

    for _ in range(4):
        jobs.renew_due()
        club.pass_time(minutes=3)
    outbox.drain()

    assert len(club.asked()) == 1
    assert club.periods(mine)[-1].attempts == 1
