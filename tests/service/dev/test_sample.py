import json
from datetime import datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from flask import Flask
from sqlalchemy import select

import chain
import vouchers
from chain import StaffSignedIn
from chain.models import LegalEntity, Product, Staff, StaffStore, Store
from dev import sample
from dev.sample_rows import read_chain
from dev.sample_staff import read_sign_ins, sign_ins_path
from invoicing import InvoiceRange
from kernel.db import Base, db
from kernel.transaction import transaction
from ledger.chart import SINCE_EVER, label_account, list_accounts
from ledger.models import Account
from subs.models import PlanSchedule
from tests.sample_chain import load_sample
from vouchers.models import Offer, OfferVersion, OfferVersionProduct

TABLES: list[type[Base]] = [
    Account, InvoiceRange, LegalEntity, Offer, OfferVersion, OfferVersionProduct, PlanSchedule,
    Product, Staff, StaffStore, Store,
]  # fmt: skip


@pytest.fixture(autouse=True)
def _sign_ins(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLE_FILE", str(tmp_path / "closed" / "sign_ins.json"))


def _load(now: datetime) -> None:
    with transaction():
        sample.load(now=now)


def _load_and_lose(now: datetime) -> None:
    with transaction():
        sample.load(now=now)
        raise ConnectionError


def _rows() -> list[str]:
    with transaction():
        return sorted(
            repr(sorted((name, value) for name, value in vars(row).items() if name[0] != "_"))
            for table in TABLES
            for row in db.session.scalars(select(table))
        )


def _terms(code: str) -> OfferVersion:
    wanted = select(OfferVersion).join(Offer, Offer.id == OfferVersion.offer_id)
    return db.session.scalars(wanted.where(Offer.code == code)).one()


def test_a_second_load_changes_nothing(now: datetime):
    _load(now)
    before, secrets = _rows(), sign_ins_path().read_text(encoding="utf-8")

    _load(now + timedelta(days=1))

    assert _rows() == before
    assert sign_ins_path().read_text(encoding="utf-8") == secrets


def test_a_load_adds_what_is_missing_and_leaves_the_rest(now: datetime):
    with transaction():
        db.session.add(Account(code="1111", kind="asset"))
        db.session.flush()
        label_account(code="1111", name="Ours", external_code="100", starts_on=SINCE_EVER)
    _load(now)

    with transaction():
        chart = {row.code: row for row in list_accounts(on=now.date())}
    assert (chart["1111"].name, chart["1111"].external_code) == ("Ours", "100")
    assert len(chart) == 16


def test_the_pack_and_the_plan_of_the_tour_are_as_the_chains_publish_them(now: datetime):
    load_sample(now)

    pack, plan = _terms("familymart-anywhere"), _terms("dayungs-monthly")

    assert (pack.price, pack.cups, pack.bonus_cups) == (500, 11, 1)
    assert (pack.expiry_mode, pack.accepted_at) == ("never", "all")
    assert (plan.price, plan.cups, plan.bonus_cups) == (499, 10, 0)
    assert (plan.expiry_mode, plan.accepted_at) == ("lapse", "all")
    schedule = db.session.get_one(PlanSchedule, plan.id)
    assert (schedule.every_count, schedule.every_unit) == (1, "month")
    assert (schedule.grace_days, schedule.dunning_days) == (28, [2, 5, 7, 7])


def test_list_prices_are_those_of_the_offers_drinks(now: datetime):
    load_sample(now)

    prices = {row.code: row.list_price for row in db.session.scalars(select(Product))}
    assert (prices["latte-m"], prices["fruit-tea-l"], prices["americano-m"]) == (50, 60, 45)


def test_every_offer_of_the_facts_is_loaded_or_said_to_be_left_out(now: datetime):
    load_sample(now)
    facts = read_chain()

    loaded = set(db.session.scalars(select(Offer.code)))

    left_out = {offer["code"] for offer in facts["left_out"]}
    assert loaded == {offer["code"] for offer in facts["offers"]}
    assert not loaded & left_out
    assert len(loaded | left_out) == 16


def test_every_fact_of_an_offer_says_how_sure_it_is():
    for offer in read_chain()["offers"]:
        stated = offer.keys() - {"code", "kind", "name", "trust", "bonus_cups"}
        assert stated <= offer["trust"].keys(), offer["code"]


def test_the_stores_are_three_branches_and_one_online(now: datetime):
    load_sample(now)

    stores = chain.list_stores(after=None, limit=10)

    assert [store.code for store in stores] == ["A", "B", "C", "W"]
    assert chain.online_store().code == "W"
    assert {store.time_zone for store in stores} == {"Asia/Taipei"}
    assert {store.day_ends_at.isoformat("minutes") for store in stores} == {"04:00"}


def test_every_offer_was_approved_by_somebody_else_and_is_on_sale(now: datetime):
    load_sample(now)

    for version in db.session.scalars(select(OfferVersion)):
        assert version.approved_by_id not in {None, version.proposed_by_id}
    facts = read_chain()["offers"]
    for kind in ("pack", "plan"):
        offered = vouchers.list_offers(kind=kind, after=None, limit=50, now=now)
        wanted = [one["code"] for one in facts if one["kind"] == kind]
        assert [one.offer.code for one in offered] == wanted


def test_every_entity_has_numbers_of_its_own_for_its_invoices_for_years(now: datetime):
    load_sample(now)

    ranges = db.session.scalars(select(InvoiceRange)).all()

    assert len(ranges) == 2 * 30
    assert len({row.first_number // 500_000 for row in ranges}) == len(ranges)
    assert min(row.first_on for row in ranges) <= now.date()


def test_the_written_secrets_sign_in(now: datetime):
    _load(now)
    admin = next(person for person in read_sign_ins() if person["role"] == "admin")

    with transaction():
        started = chain.start_office_session(
            staff_number=admin["number"],
            password=admin["password"],
            totp=pyotp.TOTP(admin["totp_secret"]).at(now),
            now=now,
        )

    assert isinstance(started, StaffSignedIn)


def test_each_role_has_the_secrets_of_its_place_and_no_other(now: datetime):
    _load(now)

    secrets = {
        person["number"]: person.keys() & {"pin", "password", "totp_secret"}
        for person in read_sign_ins()
    }

    desk = {"password", "totp_secret"}
    assert secrets == {
        "1001": {"pin"},
        "1002": {"pin"},
        "1003": {"pin"},
        "2001": {"pin", *desk},
        "3001": desk,
        "4001": desk,
        "4002": desk,
    }


def test_the_secrets_are_for_their_owner_alone(now: datetime):
    _load(now)

    path = sign_ins_path()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_secrets_of_a_load_that_was_not_committed_are_made_anew(now: datetime):
    with pytest.raises(ConnectionError):
        _load_and_lose(now)
    lost = json.loads(sign_ins_path().read_text(encoding="utf-8"))

    _load(now)

    fresh = json.loads(sign_ins_path().read_text(encoding="utf-8"))
    assert [person["number"] for person in fresh["staff"]] == [
        person["number"] for person in lost["staff"]
    ]
    assert fresh != lost


def test_what_to_try_names_everybody_and_the_address(now: datetime):
    _load(now)

    told = sample.what_to_try(read_sign_ins(), url="http://127.0.0.1:8000")

    for person in read_sign_ins():
        assert person["number"] in told
    assert "http://127.0.0.1:8000/docs" in told
    assert "make tour" in told
