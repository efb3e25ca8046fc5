"""The books are written once: the database itself refuses everything else."""

import psycopg
import pytest
from psycopg.errors import CheckViolation, InsufficientPrivilege, RestrictViolation, UniqueViolation
from sqlalchemy.exc import IntegrityError

import ledger
from kernel.ids import new_id
from kernel.transaction import transaction
from ledger.errors import AlreadyReversed
from ledger.policy import Pair

CHANGES = [
    "UPDATE line SET amount = amount + 1",
    "DELETE FROM line",
    "UPDATE entry SET kind = 'other'",
    "DELETE FROM entry",
    "TRUNCATE entry, line",
    "UPDATE month_balance SET balance = balance + 1",
    "DELETE FROM month_balance",
    "UPDATE breakage_estimate SET basis_points = 1",
    "UPDATE breakage_run SET amount = amount + 1",
    "UPDATE adjustment_line SET amount = amount + 1",
    "UPDATE settlement_payment SET amount = amount + 1",
]


@pytest.fixture
def booked(world):
    member_id = world.add_member()
    world.add_lot(member_id, "eleven")
    return member_id


@pytest.mark.parametrize("change", CHANGES)
def test_the_application_has_not_even_the_right(booked, engines, change):
    with (
        psycopg.connect(engines.postgres.url("jibei_app", "jibei")) as connection,
        pytest.raises(InsufficientPrivilege),
    ):
        connection.execute(change)


@pytest.mark.parametrize("change", CHANGES)
def test_the_owner_is_stopped_by_the_trigger(booked, engines, change):
    with (
        psycopg.connect(engines.postgres.url("jibei_owner", "jibei")) as connection,
        pytest.raises(RestrictViolation, match="append-only"),
    ):
        connection.execute(change)


STORE = new_id()


def event(world, **said):
    return ledger.Event(
        **{
            "member_id": new_id(),
            "kind": "sale",
            "source_id": new_id(),
            "event_at": world.now,
            "occurred_on": world.now.date(),
            "currency": "TWD",
            **said,
        }
    )


def reverse(world, member_id, entry_id):
    with transaction():
        return ledger.reverse(
            member_id=member_id,
            entry_id=entry_id,
            event_at=world.now,
            known_on=world.now.date(),
        )


def test_an_entry_is_reversed_once_and_a_reversal_never(world, booked):
    with transaction():
        (sale,) = ledger.list_happenings(member_id=booked, limit=9, before_id=None)
    reversal_id = reverse(world, booked, sale.id)
    for entry_id in (sale.id, reversal_id):
        with pytest.raises(AlreadyReversed):
            reverse(world, booked, entry_id)


@pytest.mark.parametrize(
    "line",
    [
        Pair(STORE, "1111", "1111", 5),
        Pair(STORE, "1111", "2131", -5),
        Pair(STORE, "1111", "2131", 0, 0),
        Pair(STORE, "1111", "2131", 5, -1),
    ],
)
def test_a_line_that_moves_nothing_or_has_one_account_is_refused(world, line):
    with pytest.raises(IntegrityError) as problem, transaction():
        ledger.post(event(world, pairs=[line]))
    assert isinstance(problem.value.orig, CheckViolation)


def test_an_entry_without_lines_is_refused_also_among_others(world):
    moving = event(world, pairs=[Pair(STORE, "1111", "4115", 5)])
    with pytest.raises(ValueError, match="has lines"), transaction():
        ledger.post_all([moving, event(world, pairs=[])])


@pytest.mark.parametrize("kind", ["present", "void"])
def test_an_entry_that_no_column_of_the_roll_forward_shows_is_refused(world, kind):
    pairs = [Pair(STORE, "1111", "2131", 5)]
    with pytest.raises(IntegrityError) as problem, transaction():
        ledger.post(event(world, kind=kind, pairs=pairs))
    assert isinstance(problem.value.orig, CheckViolation)


def test_two_reversals_of_one_entry_clash_in_the_database(world, booked, engines):
    with transaction():
        (sale,) = ledger.list_happenings(member_id=booked, limit=9, before_id=None)
    insert = (
        "INSERT INTO entry (member_id, id, kind, source_id, event_at, occurred_on, book_date,"
        " currency, reverses_id, content_hash)"
        " SELECT member_id, %s, 'void', source_id, event_at, occurred_on, book_date, currency,"
        " id, content_hash FROM entry WHERE id = %s"
    )
    with psycopg.connect(engines.postgres.url("jibei_app", "jibei")) as connection:
        connection.execute(insert, (new_id(), sale.id))
        with pytest.raises(UniqueViolation):
            connection.execute(insert, (new_id(), sale.id))
