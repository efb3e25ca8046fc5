from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

import vouchers
from chain.models import Store
from kernel import clock, outbox
from kernel.db import db
from kernel.transaction import transaction
from members import notices as said
from tests.examples import examples
from vouchers import expiry_policy, gift_token, notices
from vouchers.models import Lot
from vouchers.service.expiry import expire_some

LAST_ON = date(2026, 6, 30)


def live_through(ends, *, until: date) -> None:
    """The worker looks every day at noon."""
    day = date(2026, 5, 1)
    while day <= until:
        ends.work(day.year, day.month, day.day, 12)
        day += timedelta(days=1)


def test_an_end_is_announced_30_7_and_1_days_ahead(ends, alice):
    ends.add_lot(alice, "lapse", LAST_ON)
    live_through(ends, until=date(2026, 6, 30))
    assert ends.told_on(alice) == [date(2026, 5, 31), date(2026, 6, 23), date(2026, 6, 29)]


def test_a_notice_says_what_ends_how_much_and_when(ends, alice):
    lot_id = ends.add_lot(alice, "lapse", LAST_ON)
    ends.world.take(ends.world.add_till("A"), alice, 8, now=clock.now())
    ends.work(2026, 5, 31, 10)
    assert ends.told(alice) == [
        (
            "lot.ending",
            {
                "offer": "eleven",
                "cups": {"count": 3, "unit": "cup"},
                "ends_on": "2026-06-30",
                "member_id": str(alice),
                "version_id": str(ends.lot(lot_id).offer_version_id),
            },
        )
    ]


def test_nothing_is_announced_before_ten_in_the_morning(ends, alice):
    ends.add_lot(alice, "lapse", LAST_ON)
    ends.work(2026, 5, 31, 9, 59)
    assert ends.told(alice) == []


def test_after_days_without_a_worker_only_the_nearest_announcement_is_made(ends, alice):
    lot_id = ends.add_lot(alice, "lapse", LAST_ON)
    ends.work(2026, 6, 25, 12)
    assert len(ends.told(alice)) == 1
    ends.work(2026, 6, 28, 12)
    assert len(ends.told(alice)) == 1
    ends.work(2026, 6, 29, 12)
    assert len(ends.told(alice)) == 2
    assert ends.lot(lot_id).due_at == ends.lot(lot_id).ends_at


def test_after_its_end_nothing_is_announced_any_more(ends, alice):
    ends.add_lot(alice, "lapse", LAST_ON)
    ends.work(2026, 7, 4, 12)
    assert [notice for notice, _ in ends.told(alice)] == ["lot.lapsed"]


def test_lots_of_one_pack_and_day_are_one_notice_with_their_sum(ends, alice):
    ends.add_lot(alice, "lapse", LAST_ON)
    ends.add_lot(alice, "lapse", LAST_ON)
    ends.work(2026, 5, 31, 12)
    ((_, facts),) = ends.told(alice)
    assert facts["cups"] == {"count": 22, "unit": "cup"}


def test_lots_of_other_days_or_packs_are_notices_of_their_own(ends, alice):
    ends.world.add_offer("beans", unit="bag")
    ends.add_lot(alice, "lapse", LAST_ON)
    ends.add_lot(alice, "lapse", LAST_ON, offer="beans")
    ends.add_lot(alice, "lapse", LAST_ON - timedelta(days=1))
    ends.work(2026, 5, 31, 12)
    units = sorted(facts["cups"]["unit"] for _, facts in ends.told(alice))
    assert units == ["bag", "cup", "cup"]


@pytest.mark.parametrize(
    ("mode", "notice"),
    [
        ("lapse", "lot.ending"),
        ("top_up", "lot.ending_top_up"),
        ("refund", "lot.ending_refund"),
    ],
)
def test_a_notice_says_what_will_happen_then(ends, alice, mode, notice):
    ends.add_lot(alice, mode, LAST_ON)
    ends.work(2026, 5, 31, 12)
    assert [told for told, _ in ends.told(alice)] == [notice]


def test_frozen_lots_are_not_announced_but_their_moments_pass(ends, alice):
    lot_id = ends.add_lot(alice, "lapse", LAST_ON, frozen_at=clock.now())
    ends.work(2026, 5, 31, 12)
    assert ends.told(alice) == []
    ends.change(lot_id, frozen_at=None)
    live_through(ends, until=date(2026, 6, 30))
    assert ends.told_on(alice) == [date(2026, 6, 23), date(2026, 6, 29)]


def test_an_announcement_does_not_change_the_wallet(ends, alice):
    ends.add_lot(alice, "lapse", LAST_ON)
    ends.work(2026, 5, 31, 12)
    with transaction():
        assert db.session.get_one(vouchers.models.Wallet, alice).version == 0


def test_the_giver_is_told_too_once_for_all_friends(ends, alice, bob):
    carol = ends.world.add_member()
    ends.add_lot(alice, "lapse", LAST_ON)
    for friend in (bob, carol):
        with transaction():
            gift = vouchers.give(giver_id=alice, cups=2, now=clock.now())
            token = gift_token.make(gift.id)
        with transaction():
            vouchers.claim(member_id=friend, token=token, now=clock.now())
    ends.at(2026, 5, 31, 12)
    while True:  # wallet by wallet, so that the friends come in transactions of their own
        with transaction():
            if not expire_some(limit=1, now=clock.now()):
                break
    facts = next(facts for told, facts in ends.told(alice) if told == "lot.gift_ending")
    assert facts == {
        "offer": "eleven",
        "ends_on": "2026-06-30",
        "giver_id": str(alice),
        "version_id": str(ends.world.offers["eleven"][1]),
    }
    about_ends = [told for told, _ in ends.told(alice) if told.startswith("lot.")]
    assert sorted(about_ends) == ["lot.ending", "lot.gift_ending"]
    for friend in (bob, carol):
        assert "lot.ending" in [told for told, _ in ends.told(friend)]


def test_nobody_is_reminded_of_cups_that_have_been_collected_since(ends, alice):
    lot_id = ends.add_lot(alice, "lapse", LAST_ON)
    facts = {"member_id": alice, "version_id": ends.lot(lot_id).offer_version_id}
    still_wanted = notices.LOT_ENDING.still_wanted
    assert still_wanted is not None
    with transaction():
        assert still_wanted(facts)
    ends.world.take(ends.world.add_till("A"), alice, 11, now=clock.now())
    with transaction():
        assert not still_wanted(facts)


def test_a_giver_is_not_reminded_of_gifts_of_which_nothing_is_left(ends, alice, bob):
    ends.add_lot(alice, "lapse", LAST_ON)
    with transaction():
        gift = vouchers.give(giver_id=alice, cups=2, now=clock.now())
        token = gift_token.make(gift.id)
    with transaction():
        vouchers.claim(member_id=bob, token=token, now=clock.now())
    facts = {"giver_id": alice, "version_id": ends.world.offers["eleven"][1]}
    still_wanted = notices.GIFT_ENDING.still_wanted
    assert still_wanted is not None
    with transaction():
        assert still_wanted(facts)
    ends.world.take(ends.world.add_till("A"), bob, 2, now=clock.now())
    with transaction():
        assert not still_wanted(facts)


def test_what_was_promised_is_told(ends, alice, bob, engines):
    """The rows that SQL writes are those that the sending reads: members of tests are gone."""
    for mode in ("lapse", "top_up", "refund"):
        ends.add_lot(alice, mode, LAST_ON)
    ends.work(2026, 5, 31, 12)
    outbox.send_notices()
    with transaction():
        rows = db.session.query(outbox.Outbox).filter_by(topic=said.TOPIC)
        assert [row.last_error for row in rows] == [None] * 3
        assert all(row.done_at for row in rows)


zones = st.sampled_from(
    ["Asia/Taipei", "Europe/London", "America/New_York", "Australia/Lord_Howe", "America/Havana"]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(12))
@given(
    lives=st.timedeltas(timedelta(hours=1), timedelta(days=100)),
    passed=st.floats(0, 0.999),
    zone=zones,
    is_whole=st.booleans(),
)
def test_sql_says_what_the_policy_says_of_the_next_moment(
    ends, alice, lives, passed, zone, is_whole
):
    sold_at = clock.now()
    ends_at = sold_at + lives
    if is_whole:
        ends_at = expiry_policy.ends_at(
            sold_at=sold_at, count=lives.days + 1, unit="day", time_zone=zone
        )
    with transaction():
        db.session.execute(update(Store).values(time_zone=zone))
    now = sold_at + (ends_at - sold_at) * passed
    lot_id = ends.world.add_lot(
        alice, "eleven", sold_at=sold_at, ends_at=ends_at, due_at=min(now, sold_at)
    )
    with transaction():
        expire_some(limit=9, now=now)
    told = ends.lot(lot_id).due_at
    assert told == expiry_policy.next_due_at(
        sold_at=sold_at, ends_at=ends_at, time_zone=zone, now=now
    )
    assert isinstance(told, datetime)
    with transaction():
        db.session.execute(update(Lot).values(due_at=None))
