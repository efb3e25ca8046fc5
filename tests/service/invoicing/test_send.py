"""What is due is sent, in order, until it has arrived."""

from datetime import date, timedelta
from threading import Thread
from time import sleep

import psycopg
import pytest
from sqlalchemy import select

import chain
import invoicing
from invoicing import Buyer, Filter, RangeInvalid, RangeOverlaps, jobs, list_invoices, ports
from invoicing.models import Invoice, InvoiceDocument, InvoiceShortage
from invoicing.sending import SENDING
from invoicing.service import send as sending
from invoicing.service.ranges import give_number
from kernel import clock
from kernel.db import db
from kernel.due import is_due
from kernel.outbox import Outbox
from kernel.transaction import again, transaction
from tests.together import together
from tests.unit.invoicing.documents import ISSUED

refusals = []


def refuse(document):
    """A port that is down."""
    refusals.append(document.number)
    raise ConnectionError("the platform is away")


@pytest.fixture
def away(sold, configured):
    """The tax office's platform does not answer."""
    refusals.clear()
    configured(INVOICE_TO=f"{__name__}:refuse")


@pytest.fixture
def alerted(sold, configured):
    """Somebody is told; answers what."""
    configured(ALERT_TO="+886912345678")

    def texts() -> list[str]:
        with transaction():
            return [row.facts["text"] for row in db.session.scalars(select(Outbox))]

    return texts


def later(at, seconds):
    """Let so many seconds pass after noon of the fourteenth."""
    at(2026, 1, 14, 12 + seconds // 3600, seconds // 60 % 60, seconds % 60)


def test_a_document_gets_its_number_and_its_file_and_is_sent(sold, at):
    at(2026, 1, 14, 12, 0, 7)
    invoice = sold.sell(buyer=Buyer(donation_code="168"))
    assert sold.send() == ["F0401-AB00000000.xml"]
    after = sold.read(invoice.id)
    assert (after.status, after.number) == ("issued", "AB00000000")
    assert (after.seller_tax_id, after.seller_name) == ("04595257", "Entity A")
    told = sold.told("F0401-AB00000000")
    assert (told["InvoiceDate"], told["InvoiceTime"]) == ("20260114", "12:00:00")
    assert told["NPOBAN"] == "168"
    (document,) = sold.documents(invoice)
    assert (document.status, document.tries, document.leased_until) == ("sent", 0, None)
    with transaction():
        assert not is_due(SENDING, clock.now())


def test_nothing_is_due_where_invoices_go_nowhere(sold, configured):
    configured(INVOICE_TO=None)
    invoice = sold.sell()
    with transaction():
        assert not is_due(SENDING, clock.now())
    jobs.send()
    assert sold.files() == []
    assert [one.tries for one in sold.documents(invoice)] == [0]


def test_nothing_is_sent_inside_a_transaction(sold):
    with transaction():
        db.session.scalar(select(Invoice.id))
        with pytest.raises(RuntimeError, match="transaction is open"):
            ports.send(ISSUED)


def test_a_worker_that_dies_after_the_file_sends_the_same_file_again(sold, at):
    at(2026, 1, 14, 12, 0, 1)
    sold.sell()
    (document_id,) = again(sending.claim)
    ports.send(sending.prepare(document_id))
    first = (sold.folder / "F0401-AB00000000.xml").read_bytes()
    assert sold.send() == ["F0401-AB00000000.xml"]  # the lease still runs: nobody takes it
    with transaction():
        assert db.session.scalar(select(InvoiceDocument.status)) == "due"
    at(2026, 1, 14, 12, 2, 2)
    assert sold.send() == ["F0401-AB00000000.xml"]
    assert (sold.folder / "F0401-AB00000000.xml").read_bytes() == first
    with transaction():
        assert db.session.scalar(select(InvoiceDocument.status)) == "sent"


def test_a_worker_that_wakes_after_its_lease_changes_nothing(sold, at):
    at(2026, 1, 14, 12, 0, 1)
    invoice = sold.sell()
    (document_id,) = again(sending.claim)
    at(2026, 1, 14, 12, 3)
    sold.send()
    (sent,) = sold.documents(invoice)
    at(2026, 1, 14, 12, 4)
    sending.send(document_id)
    (after,) = sold.documents(invoice)
    assert after.sent_at == sent.sent_at
    assert sold.read(invoice.id).number == "AB00000000"


def test_what_cannot_be_sent_is_tried_ever_more_seldom_with_the_same_number(sold, away, at):
    at(2026, 1, 14, 12, 0, 0)
    invoice = sold.sell()
    jobs.send()
    (document,) = sold.documents(invoice)
    assert (document.status, document.tries) == ("due", 1)
    assert document.last_error == "ConnectionError: the platform is away"
    assert document.due_at - clock.now() < timedelta(seconds=2)
    jobs.send()
    assert refusals == ["AB00000000"]
    later(at, 3)
    jobs.send()
    assert refusals == ["AB00000000"] * 2


def test_what_follows_waits_for_what_could_not_be_sent(sold, away, at, configured):
    at(2026, 1, 14, 12, 0, 0)
    invoice = sold.sell()
    sold.refund(invoice)
    jobs.send()
    assert refusals == ["AB00000000"]
    assert [one.status for one in sold.documents(invoice)] == ["due", "waiting"]
    configured(INVOICE_TO=f"file:{sold.folder}")
    later(at, 3)
    assert sold.send() == ["F0401-AB00000000.xml", "F0501-AB00000000.xml"]


def test_ten_tries_alert_once_for_all_and_the_next_ones_go_on(sold, away, at, alerted):
    at(2026, 1, 14, 12, 0, 0)
    for _ in range(3):
        sold.sell()
    for tries in range(11):
        later(at, 3_000 * tries)
        jobs.send()
    with transaction():
        assert set(db.session.scalars(select(InvoiceDocument.tries))) == {11}
    (text,) = alerted()
    assert "could not be sent 10 times (ConnectionError: the platform is away)" in text


def test_8_workers_give_no_number_twice_and_send_each_document_once(sold, app):
    with transaction():
        for _ in range(40):
            sold.issue()
    together(app, [jobs.send] * 8, in_transactions=False)
    assert sold.files() == [f"F0401-AB{number:08d}.xml" for number in range(40)]
    with transaction():
        assert set(db.session.scalars(select(InvoiceDocument.status))) == {"sent"}


def test_8_workers_go_on_into_the_next_range_and_stop_at_the_last(sold, app):
    for prefix in ("CD", "EF"):
        sold.add_range(prefix=prefix, first_number=7, last_number=9, first_on=date(2026, 3, 1))
    march = sold.world.now + timedelta(days=60)
    with transaction():
        for _ in range(8):
            sold.issue(sold_at=march)
    together(app, [jobs.send] * 8, in_transactions=False)
    numbered = [
        f"F0401-{prefix}0000000{digit}.xml" for prefix in ("CD", "EF") for digit in (7, 8, 9)
    ]
    assert sold.files() == numbered
    with transaction():
        assert len(db.session.scalars(select(Invoice).where(Invoice.number.is_(None))).all()) == 2


def test_a_seller_without_numbers_is_told_of_once_and_goes_on_when_there_are_more(
    sold, at, alerted
):
    at(2026, 3, 2, 12, 0, 0)
    waiting = [sold.sell(sold_at=clock.now()) for _ in range(3)]
    jobs.send()
    assert sold.files() == []
    (text,) = alerted()
    assert "Entity A has no invoice numbers left for the two months from 2026-03" in text
    (document,) = sold.documents(waiting[0])
    assert "no invoice number is left for 2026-03" in (document.last_error or "")
    sold.add_range(prefix="CD", first_on=date(2026, 3, 1), now=clock.now())
    assert len(sold.send()) == 3
    assert sold.read(waiting[0].id).status == "issued"
    with transaction():
        assert db.session.scalars(select(InvoiceShortage)).all() == []


@pytest.mark.parametrize(
    "other", [{"first_number": 99, "last_number": 120}, {"first_number": 0, "last_number": 0}]
)
def test_no_number_is_in_two_ranges_of_a_period(sold, other):
    with pytest.raises(RangeOverlaps):
        sold.add_range(**other)
    with transaction():
        another = chain.list_owners(sold.world.stores["B"])[0].entity.id
    with pytest.raises(RangeOverlaps):
        sold.add_range(**other, seller_tax_id="22099131", legal_entity_id=another)


@pytest.mark.parametrize(
    "other",
    [
        {"first_number": 100, "last_number": 120},
        {"prefix": "AC"},
        {"prefix": "BA"},
        {"first_on": date(2026, 3, 1)},
        {"first_on": date(2027, 1, 1)},
        {"prefix": "ZZ", "last_number": 99_999_999},
        {"prefix": "AA", "last_number": 99_999_999},
    ],
)
def test_other_numbers_letters_or_months_do_not_overlap(sold, other):
    assert sold.add_range(**other).next_number == other.get("first_number", 0)


def test_of_8_racers_for_one_range_one_adds_it(sold, app):
    def add():
        return sold.add_range(prefix="CD").prefix

    answers = together(app, [add] * 8, in_transactions=False)
    assert [answer for answer in answers if answer == "CD"] == ["CD"]
    assert len([answer for answer in answers if isinstance(answer, RangeOverlaps)]) == 7


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"seller_tax_id": "12345678"}, "seller_tax_id"),
        ({"seller_address": " "}, "seller_address"),
        ({"first_on": date(2026, 2, 1)}, "first_on"),
        ({"first_on": date(2026, 1, 2)}, "first_on"),
        ({"prefix": "ab"}, "prefix"),
        ({"prefix": "ABC"}, "prefix"),
        ({"first_number": -1}, "first_number"),
        ({"first_number": 100, "last_number": 99}, "last_number"),
        ({"last_number": 100_000_000}, "last_number"),
    ],
)
def test_a_range_that_the_tax_office_could_not_have_assigned_is_refused(sold, other, field):
    with pytest.raises(RangeInvalid) as refused:
        sold.add_range(**other)
    assert refused.value.facts == {"field": field}


def test_what_is_late_is_listed_after_two_days_and_for_a_company_after_seven(sold):
    to_person, to_company = sold.sell(), sold.sell(buyer=Buyer(tax_id="22099131"))

    def late(days: int) -> set[object]:
        with transaction():
            wanted = Filter(late_at=sold.world.now + timedelta(days=days, seconds=1))
            return {one.id for one in list_invoices(wanted, after=None, limit=10)}

    assert late(1) == set()
    assert late(2) == {to_person.id}
    assert late(7) == {to_person.id, to_company.id}
    sold.send()
    assert late(7) == set()


def in_a_thread(app, work):
    """Start work in a thread with an application context of its own."""

    def run():
        with app.app_context():
            work()

    thread = Thread(target=run)
    thread.start()
    return thread


def until_it_waits_or_ends(engines, thread):
    """Come back once a thread waits for somebody's lock, or is done."""
    url = engines.postgres.url("postgres", "jibei")
    with psycopg.connect(url, autocommit=True) as connection:
        while thread.is_alive():
            waiting = connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if waiting.fetchone() != (0,):
                return
            sleep(0.01)


def test_what_is_given_back_while_the_invoice_is_sent_is_not_forgotten(sold, app, engines):
    invoice = sold.sell()
    with transaction():
        sold.take_back(invoice)
        worker = in_a_thread(app, jobs.send)
        until_it_waits_or_ends(engines, worker)
    worker.join()
    assert sold.send() == ["F0401-AB00000000.xml", "F0501-AB00000000.xml"]
    assert [one.status for one in sold.documents(invoice)] == ["sent", "sent"]


def test_who_waited_for_the_last_number_of_a_range_takes_the_next_range(sold, app, engines):
    sold.add_range(prefix="CD", first_number=7, last_number=7, first_on=date(2026, 3, 1))
    sold.add_range(prefix="EF", first_number=7, last_number=7, first_on=date(2026, 3, 1))
    march = sold.world.now + timedelta(days=60)
    first, second = sold.sell(sold_at=march), sold.sell(sold_at=march)
    with transaction():
        give_number(db.session.get_one(Invoice, first.id), now=march)
        (document,) = invoicing.documents_of(second.id)
        waiting = in_a_thread(app, lambda: sending.prepare(document.id))
        until_it_waits_or_ends(engines, waiting)
    waiting.join()
    assert [sold.read(one.id).number for one in (first, second)] == ["CD00000007", "EF00000007"]
