"""As many statements for a hundred items as for one, and each row looked up by its key."""

import re

import pytest

from kernel import hot
from kernel.prepared import PreparedConnection
from redemption.offline import statements, uploading
from tests.service.redemption.offline.field import Branch, fill, lines

GROWING = ("offline_item", "capsule", "wallet", "redemption", "lot", "gift")

_TYPES = {
    "now": "timestamptz",
    "news": "jsonb",
    "items": "jsonb",
}


def plan_of(statement: str) -> list[str]:
    """How it is carried out for ever: the plan is made for no values, on empty tables."""
    with hot.pool().connection() as connection:
        names: list[str] = []

        def number(found: re.Match[str]) -> str:
            if found[1] not in names:
                names.append(found[1])
            return f"${names.index(found[1]) + 1}"

        numbered = re.sub(r"%\((\w+)\)s", number, statement)
        types = ", ".join(_TYPES.get(name, "unknown") for name in names)
        connection.execute(f"PREPARE planned ({types}) AS {numbered}")
        nothing = ", ".join(["NULL"] * len(names))
        rows = connection.execute(f"EXPLAIN EXECUTE planned({nothing})").fetchall()
        connection.execute("DEALLOCATE planned")
    return [row[0] for row in rows]


@pytest.mark.parametrize("name", ["READ", "READ_AGAIN", "WRITE"])
def test_every_row_is_looked_up_by_its_key(world, name):
    plan = plan_of(getattr(statements, name))
    scans = [
        at
        for at, line in enumerate(plan)
        if "Scan" in line and any(re.search(rf" on {table}( |$)", line) for table in GROWING)
    ]
    assert scans
    for at in scans:
        assert "Cond" in plan[at + 1], plan[at]
    assert "Hash Join" not in "\n".join(plan)


def test_what_was_written_is_looked_up_in_a_hash_of_the_wallets(world):
    """Not by comparing each of five hundred with each of five hundred."""
    plan = "\n".join(plan_of(statements.WRITE))
    assert plan.count("hashed") == 7


@pytest.mark.parametrize("many", [1, 12])
def test_the_number_of_statements_does_not_grow_with_the_items(world, monkeypatch, many):
    written = serve_many(world, many)
    counted = count_statements(monkeypatch)

    uploading.upload(lines=lines(written), now=world.now)

    assert counted == [statements.KEYS, *OF_A_PIECE]


def test_a_large_upload_is_taken_in_by_pieces(world, monkeypatch):
    monkeypatch.setattr(uploading, "AT_ONCE", 5)
    written = serve_many(world, 12)
    counted = count_statements(monkeypatch)

    outcomes = uploading.upload(lines=lines([*reversed(written), written[0]]), now=world.now)

    assert counted == [statements.KEYS, *OF_A_PIECE * 3]
    assert [one.number for one in outcomes] == [*range(12, 0, -1), 1]
    assert [one.outcome for one in outcomes] == ["applied"] * 12 + ["duplicate"]


OF_A_PIECE = [statements.LOCK_DEVICES, statements.READ, statements.WRITE]


def serve_many(world, many):
    """A log of so many items, each of a shopper of its own."""
    a = Branch(world, "A")
    written = []
    for _ in range(many):
        shopper = world.add_member()
        world.add_lot(shopper, "eleven")
        written.append(a.serve(fill(world, shopper)))
    return written


def count_statements(monkeypatch):
    """All statements of the hot road from now on, as they come."""
    run, counted = PreparedConnection.run, []

    def count(connection, sql, params):
        counted.append(sql)
        return run(connection, sql, params)

    monkeypatch.setattr(PreparedConnection, "run", count)
    return counted
