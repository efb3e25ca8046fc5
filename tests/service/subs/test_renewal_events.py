"""News of a renewal's charge: doubled, in every order, and beside the answer of the call itself."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from itertools import permutations

import pytest

import payments
from kernel import outbox
from kernel.transaction import transaction
from payments import inbox, sweep
from subs import jobs
from tests.club import Club
from tests.events import event, signed
from tests.fakes import DECLINED, SLOW

PARTS = ("told", "told_again", "asked", "found")


def tell(club: Club, kind: str, *, event_id: str) -> None:
    """The provider sends an event of the newest renewal, and it is worked off."""
    ref = club.asked()[-1].provider_ref or next(iter(club.bank.intents))
    body, signature = signed(event(kind, ref, event_id=event_id), at=club.now)
    with transaction():
        payments.receive(body=body, signature=signature, now=club.now)
    inbox.read_events()


def ways(club: Club, kind: str) -> Mapping[str, Callable[[], None]]:
    """How news may come: by an event, by a second one, by the sweep, and by the lease's end."""
    return {
        "told": lambda: tell(club, kind, event_id="evt_first"),
        "told_again": lambda: tell(club, kind, event_id="evt_second"),
        "asked": sweep.ask_again,
        "found": jobs.renew_due,
    }


def come(club: Club, kind: str, order: Sequence[str]) -> None:
    heard = ways(club, kind)
    for part in order:
        heard[part]()
        heard[part]()
        outbox.drain()


@pytest.mark.faults
@pytest.mark.parametrize("order", list(permutations(PARTS)), ids="-".join)
def test_a_payment_that_is_heard_of_in_any_order_is_one_period_and_one_grant(
    club: Club, order: Sequence[str]
):
    mine = club.subscribe(card=SLOW)
    club.go_to(club.periods(mine)[0].ends_at)
    jobs.renew_due()
    (payment,) = club.asked()
    club.bank.finish(str(payment.provider_ref))
    club.pass_time(minutes=5)

    come(club, "payment_intent.succeeded", order)

    assert [one.status for one in club.asked()] == ["succeeded"]
    assert [period.status for period in club.periods(mine)] == ["paid", "paid"]
    assert len(club.lots()) == 2
    assert club.causes(mine).count("renewed") == 1
    assert club.notices().count("subscription.renewed") == 1


@pytest.mark.faults
@pytest.mark.parametrize("order", list(permutations(PARTS)), ids="-".join)
def test_a_decline_that_is_heard_of_in_any_order_is_one_attempt_and_one_message(
    club: Club, order: Sequence[str]
):
    mine = club.subscribe(card=DECLINED)
    club.go_to(club.periods(mine)[0].ends_at)
    club.bank.fail("charge", "after")
    jobs.renew_due()
    club.pass_time(minutes=5)

    come(club, "payment_intent.payment_failed", order)

    assert [one.status for one in club.asked()] == ["failed"]
    assert club.periods(mine)[1].attempts == 1
    assert len(club.lots()) == 1
    assert club.causes(mine).count("renewal_failed") == 1
    assert club.notices() == ["subscription.renewal_failed"]


def test_a_decline_that_waits_to_be_heard_of_is_not_followed_by_another_attempt(club: Club):
    mine = club.subscribe(card=DECLINED)
    club.go_to(club.periods(mine)[0].ends_at)
    club.bank.fail("charge", "after")
    jobs.renew_due()
    club.pass_time(minutes=5)

    sweep.ask_again()
    jobs.renew_due()
    outbox.drain()

    assert [one.status for one in club.asked()] == ["failed"]
    assert club.periods(mine)[1].attempts == 1


def test_a_payment_that_waits_to_be_heard_of_is_not_made_again(club: Club):
    mine = club.subscribe()
    club.go_to(club.periods(mine)[0].ends_at)
    club.bank.fail("charge", "after")
    jobs.renew_due()
    club.pass_time(minutes=5)

    sweep.ask_again()
    jobs.renew_due()
    outbox.drain()

    assert len(club.bank.taken) == 1
    assert [period.status for period in club.periods(mine)] == ["paid", "paid"]


def test_a_failed_renewal_says_nothing_of_success_and_grants_nothing(club: Club):
    mine = club.subscribe(card=DECLINED)
    before = club.notices()
    club.go_to(club.periods(mine)[0].ends_at)

    for _ in range(40):
        club.renew()
        club.pass_time(days=1)

    told = club.notices()[len(before) :]
    assert told == ["subscription.renewal_failed"] * 4 + [
        "subscription.card_wanted",
        "subscription.lapsed",
    ]
    assert "renewed" not in club.causes(mine)
    assert len(club.lots()) == 1


def test_a_renewal_is_told_once_and_nothing_of_failure(club: Club):
    mine = club.subscribe()
    before = club.notices()
    club.go_to(club.periods(mine)[0].ends_at)

    for _ in range(3):
        club.renew()

    assert club.notices()[len(before) :] == ["subscription.renewed"]


def test_a_member_who_tries_themselves_uses_up_no_attempt(club: Club):
    mine = club.subscribe(card="pm_card_authenticationRequired")
    club.go_to(club.periods(mine)[0].ends_at)
    club.renew()
    (payment,) = club.asked()
    counted = club.periods(mine)[1].attempts

    club.bank.refuse_authentication(str(payment.provider_ref))
    tell(club, "payment_intent.payment_failed", event_id="evt_of_the_member")
    outbox.drain()

    assert club.periods(mine)[1].attempts == counted == 1
    retry_at = club.periods(mine)[1].retry_at
    assert retry_at is not None
    assert retry_at - club.now < timedelta(days=2)
