"""What the terms of real chains' packs demand, one test for each sentence, through the verbs."""

from uuid import UUID

import pytest
from sqlalchemy import select

import invoicing
import redemption.jobs
import vouchers
from chain.models import LegalEntity, Staff
from invoicing.models import Invoice
from kernel.db import db
from kernel.idempotency import Key
from kernel.ids import new_id
from kernel.transaction import transaction
from redemption.errors import (
    ChannelNotAccepted,
    InsufficientCups,
    ProductMismatch,
    StoreNotAccepted,
    TopUpDue,
)
from redemption.models import RedemptionLine
from tests.service.redemption.tills import rows, serve
from tests.together import together
from vouchers import AtTill, Claimed, GiftClaimed, gift_token, jobs
from vouchers.models import Refund
from vouchers.offer_errors import Unlawful
from vouchers.offer_terms import OfferTerms
from vouchers.service import offer
from vouchers.service.gift_ending import end_some
from vouchers.service.order import Wanted

assert redemption.jobs  # they hear of top-ups


LOUISA, STARBUCKS, STAR_CARD = "louisa-5", "starbucks-20", "starbucks-star-card"
SEVEN, FAMILYMART, MCD = "seven-30", "familymart-anywhere", "mcd-10"
CITY_CAFE, PXMART, BARBER = "85c-anywhere", "pxmart-multipack", "barber-15"


def collect(shop, member_id, product, cups=1, *, store="A", **other):
    """Hand over cups of a product at a store, now."""
    till = shop.world.add_till(store)
    wanted = {"product_id": shop.world.products[product], "now": shop.now, **other}
    return shop.world.take(till, member_id, cups, **wanted)


def amounts():
    """The net money of every redemption, in order."""
    with transaction():
        lines = select(RedemptionLine.amount).order_by(RedemptionLine.redemption_id)
        return list(db.session.scalars(lines))


def give(shop, member_id, cups):
    with transaction():
        return vouchers.give(giver_id=member_id, cups=cups, now=shop.now).id


def claim(shop, member_id, gift_id):
    token = gift_token.make(gift_id)
    return vouchers.claim(member_id=member_id, token=token, now=shop.now)


def admins():
    with transaction():
        return list(db.session.scalars(select(Staff.id).where(Staff.role == "admin")))


# Louisa: five cups for 240


def test_a_cup_at_another_store_is_refused_with_the_reason_store_not_accepted(shop, alice):
    shop.buy(alice, store="A", **{LOUISA: 1})

    with pytest.raises(StoreNotAccepted) as refusal:
        collect(shop, alice, "latte-l", store="B")

    assert refusal.value.code == "store-not-accepted"
    assert collect(shop, alice, "latte-l", store="A").left == 4


def test_ice_and_sugar_may_change_the_drink_may_not(shop, alice):
    shop.buy(alice, **{LOUISA: 1})

    with pytest.raises(ProductMismatch):
        collect(shop, alice, "latte-m")

    assert collect(shop, alice, "latte-l").left == 4  # ice and sugar are no products


def test_a_late_cup_costs_12_more_20_percent_of_the_list_price_of_60(shop, alice):
    shop.buy(alice, **{LOUISA: 1})
    shop.at(2026, 7, 5, 23)
    assert collect(shop, alice, "latte-l").top_up["amount"] == 0

    shop.at(2026, 7, 6, 1)
    jobs.expire_due()

    assert collect(shop, alice, "latte-l", top_up=12).top_up == {"amount": 12, "currency": "TWD"}


def test_two_used_the_refund_is_144(shop, alice):
    order = shop.buy(alice, **{LOUISA: 1})
    collect(shop, alice, "latte-l", 2)

    (refund,) = shop.refund(alice, order)

    assert (refund.payable, refund.payer_id) == (144, alice)


# Starbucks: twenty named drinks for 1,600


def test_twenty_named_drinks_no_exchange_no_add_ons(shop, alice):
    shop.buy(alice, **{STARBUCKS: 1})

    with pytest.raises(ProductMismatch):
        collect(shop, alice, "caffe-mocha-g")
    with pytest.raises(TopUpDue):
        collect(shop, alice, "caffe-latte-t", top_up=25)

    assert collect(shop, alice, "caffe-latte-t", 20).left == 0


@pytest.mark.parametrize(("used", "back"), [(5, 1050), (15, 0)])
def test_on_day_30_the_unused_value_goes_back_to_the_payer_by_itself(shop, alice, used, back):
    shop.buy(alice, **{STARBUCKS: 1})
    collect(shop, alice, "caffe-latte-t", used)
    shop.at(2026, 2, 4, 23)
    jobs.expire_due()
    assert rows(Refund) == []

    shop.at(2026, 2, 5, 1)
    jobs.expire_due()
    shop.send_money()

    (refund,) = rows(Refund)
    assert (refund.payable, refund.payer_id, refund.reason) == (back, alice, "expiry")
    assert refund.status == "paid"
    assert shop.left(alice) == 0


def test_an_unclaimed_gift_is_refunded_to_the_payer(shop, alice):
    shop.buy(alice, **{STARBUCKS: 1})
    gift_id = give(shop, alice, 5)
    shop.at(2026, 2, 4, 12)
    assert shop.gift(gift_id).ends_at <= shop.now

    with transaction():
        end_some(limit=10, now=shop.now)
    shop.send_money()

    (refund,) = rows(Refund)
    assert (refund.payer_id, refund.reason, refund.payable) == (alice, "gift_unclaimed", 400)
    assert (shop.gift(gift_id).status, shop.left(alice)) == ("refunded", 15)


def test_the_invoice_is_issued_at_sale_none_at_redemption(shop, alice):
    order = shop.buy(alice, **{STARBUCKS: 1})

    collect(shop, alice, "caffe-latte-t", 20)
    shop.hear()

    (invoice,) = rows(Invoice)
    assert (invoice.source, invoice.source_id, invoice.gross) == ("order", order.id, 1600)
    with transaction():
        sold = invoicing.find_invoice(source="order", source_id=order.id)
        assert sold is not None


# Starbucks: a card of ten drinks for 1,000


def test_a_drink_of_120_inside_60_days_costs_nothing_more_afterwards_20(shop, alice):
    order = shop.buy(alice, **{STAR_CARD: 1})
    shop.at(2026, 3, 6, 23)
    collect(shop, alice, "oolong-latte-t")
    shop.at(2026, 3, 7, 1)

    collect(shop, alice, "oolong-latte-t", top_up=20)

    shop.hear()
    invoices = [(one.source, one.gross) for one in rows(Invoice)]
    assert invoices == [("order", order.total), ("top_up", 20)]


def test_bearer_no_name_needed_no_replacement(shop, alice, bob):
    shop.buy(alice, **{STAR_CARD: 1})  # neither of them has ever said a name
    gift_id = give(shop, alice, 10)
    with transaction():
        claim(shop, bob, gift_id)

    with pytest.raises(GiftClaimed), transaction():
        claim(shop, shop.world.add_member(), gift_id)

    assert collect(shop, bob, "caffe-latte-t").left == 9
    assert shop.left(alice) == 0


def test_never_lapses(shop, alice):
    shop.buy(alice, **{STAR_CARD: 1})
    shop.at(2035, 1, 5, 12)

    jobs.expire_due()

    assert shop.left(alice) == 10
    assert collect(shop, alice, "caffe-latte-t", 10, top_up=100).left == 0


# 7-ELEVEN: thirty cups at one store


def sell_thirty(shop, member_id, store):
    till = shop.world.add_till(store)
    vouchers.sell_at_counter(
        till=AtTill(till.shift_id, till.device_id, till.store_id, till.staff_id),
        buyer_id=lambda: member_id,
        items=[Wanted(offer_id=shop.world.offers[SEVEN][0], quantity=1)],
        method="cash",
        invoice_to=None,
        key=Key(till.device_id, new_id().hex, b""),
        now=shop.now,
    )


def test_switching_to_all_stores_is_a_new_version_and_does_not_change_what_was_sold(
    shop, alice, bob
):
    sell_thirty(shop, alice, "A")
    with pytest.raises(StoreNotAccepted):
        collect(shop, alice, "americano-m", store="B")

    switch(shop, SEVEN, products=["americano-m"], accepted_at="all")
    sell_thirty(shop, bob, "A")

    assert collect(shop, bob, "americano-m", store="B").left == 29
    with pytest.raises(StoreNotAccepted):
        collect(shop, alice, "americano-m", store="B")
    assert collect(shop, alice, "americano-m", store="A").left == 29


def switch(shop, code, *, products, **terms):
    """One admin proposes other terms of an offer, the other approves them."""
    first, second = admins()
    known = {"offer_id": shop.world.offers[code][0], "kind": "pack", "now": shop.now}
    changed = OfferTerms(
        name=code,
        price=1080,
        cups=30,
        currency="TWD",
        sale_starts_at=shop.now,
        product_ids=[shop.world.products[one] for one in products],
        **terms,
    )
    with transaction():
        made = offer.propose_version(terms=changed, by_id=first, **known)
        offer.approve(number=made.version, by_id=second, **known)


# FamilyMart: buy ten, get one


def test_buy_ten_get_one_on_the_same_terms_one_lot_of_eleven_carries_476(shop, alice):
    shop.buy(alice, **{FAMILYMART: 1})
    (lot,) = shop.lots(alice)
    assert (lot.units, lot.net, lot.is_bonus) == (11, 476, False)

    for _ in range(11):
        collect(shop, alice, "latte-m")

    assert amounts() == [43, 44, 43, 43, 43, 44, 43, 43, 43, 44, 43]


@pytest.mark.parametrize("split", ["A11", "A1 B10", "C5 B1 A5", "B2 C2 B2 C2 B2 C1"])
def test_any_split_over_any_stores_adds_up_to_476(shop, alice, split):
    shop.buy(alice, **{FAMILYMART: 1})

    for part in split.split():
        collect(shop, alice, "latte-m", int(part[1:]), store=part[0])

    assert sum(amounts()) == 476


# McDonald's: ten coffees


def test_delivery_is_not_an_accepted_channel_and_is_refused_with_a_reason(shop, alice):
    shop.buy(alice, **{MCD: 1})
    till = shop.world.add_till("A")
    drink = {"product_id": shop.world.products["flat-white-m"], "now": shop.now}

    serve(till, "delivery")
    with pytest.raises(ChannelNotAccepted) as refusal:
        shop.world.take(till, alice, **drink)

    assert refusal.value.facts["channel"] == "delivery"
    for channel in refusal.value.facts["accepted"]:
        serve(till, channel)
        shop.world.take(till, alice, **drink)
    assert shop.left(alice) == 7


# 85°C: ten cups anywhere


def test_a_giver_sends_3_of_10_by_link_two_people_open_it_at_once_one_gets_them(
    shop, app, alice, bob
):
    shop.buy(alice, **{CITY_CAFE: 1})
    gift_id, carol = give(shop, alice, 3), shop.world.add_member()

    answers = together(app, [lambda who=who: claim(shop, who, gift_id) for who in (bob, carol)])

    assert sorted(type(one).__name__ for one in answers) == ["Claimed", "GiftClaimed"]
    assert isinstance(answers[0], Claimed) == (shop.left(bob) == 3)
    assert sorted((shop.left(bob), shop.left(carol))) == [0, 3]
    assert shop.left(alice) == 7


# PX Mart: twelve pieces


def test_the_units_need_not_be_cups_items_collected_in_parts_at_several_stores(shop, alice):
    shop.buy(alice, **{PXMART: 1})

    left = [
        collect(shop, alice, "household-item", items, store=store).left
        for store, items in (("A", 5), ("B", 4), ("C", 3))
    ]

    assert left == [7, 3, 0]
    assert sum(amounts()) == 856
    with transaction():
        (words,) = (
            vouchers.terms_in_words(one.version, "en")
            for one in vouchers.list_offers(kind="pack", after=None, limit=50, now=shop.now)
            if one.offer.code == PXMART
        )
        assert any("Household item" in sentence for sentence in words)


# KL Coffee Pass: five cups that lapse


COFFEE_PASS = {
    "name": "Five coffees within 30 days",
    "price": 5000,
    "currency": "MYR",
    "cups": 5,
    "expiry_mode": "lapse",
    "expires_after_count": 30,
    "expires_after_unit": "day",
}


def propose_pass(shop, legal_entity_id: UUID | None = None):
    first, _ = admins()
    terms = OfferTerms(sale_starts_at=shop.now, covers_up_to=2000, **COFFEE_PASS)
    with transaction():
        return offer.propose_offer(
            code="coffee-pass",
            kind="pack",
            terms=terms,
            legal_entity_id=legal_entity_id,
            by_id=first,
            now=shop.now,
        )


def test_lapse_of_paid_cups_is_refused_for_a_taiwanese_entity_when_the_offer_is_made(shop):
    with pytest.raises(Unlawful) as refusal:
        propose_pass(shop)

    assert refusal.value.facts["jurisdiction"] == "TW"
    assert refusal.value.facts["breaches"] == ["paid-cups-lapse"]


def test_lapse_of_paid_cups_is_allowed_where_the_jurisdictions_rules_allow_it(shop):
    entity = LegalEntity(id=new_id(), code="KL", name="Bob", jurisdiction="MY")
    with transaction():
        db.session.add(entity)
        db.session.flush()
        entity_id = entity.id

    made = propose_pass(shop, entity_id)

    assert (made.jurisdiction, made.version, made.approved_at) == ("MY", 1, None)


# A barber's punch card


def test_a_punch_card_15_visits_for_the_price_of_10(shop, alice):
    shop.buy(alice, **{BARBER: 1})

    for _ in range(15):
        collect(shop, alice, "haircut")

    assert sum(amounts()) == 190  # 200, which is ten times 20, without VAT
    with pytest.raises(InsufficientCups):
        collect(shop, alice, "haircut")
