"""As many statements for fifty items as for one, and each row looked up by its key."""

import re

import pytest

from kernel import hot
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
    a = Branch(world, "A")
    written = []
    for _ in range(many):
        shopper = world.add_member()
        world.add_lot(shopper, "eleven")
        written.append(a.serve(fill(world, shopper)))
    run, counted = hot._ran, []  # noqa: SLF001  what both roads of it end in

    def count(connection, sql, params):
        counted.append(sql)
        return run(connection, sql, params)

    monkeypatch.setattr(hot, "_ran", count)
    uploading.upload(lines=lines(written), now=world.now)
    assert counted == [
        statements.KEYS,
        statements.LOCK_DEVICES,
        statements.READ,
        statements.WRITE,
    ]
