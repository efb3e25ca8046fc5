"""Whatever was changed, taken out or put in after it was sealed is found, and where first."""

import pytest
from sqlalchemy import select

from kernel.db import db
from kernel.transaction import transaction
from ledger import seal
from ledger.content import CONTENT_HASH
from ledger.models import Seal
from ledger.seal import Head, HeadUnreadable
from ledger.seal.duties import make_heads
from tests.service.ledger.trade import fold_all

HASHED = f"UPDATE entry SET content_hash = {CONTENT_HASH}"
CHAINED = """
WITH RECURSIVE link AS (
    SELECT number, sha256(decode(repeat('00', 32), 'hex') || content_hash) AS chain
    FROM seal JOIN entry ON (entry.member_id, entry.id) = (seal.member_id, entry_id)
    WHERE number = 1
    UNION ALL
    SELECT seal.number, sha256(link.chain || content_hash)
    FROM link JOIN seal ON seal.number = link.number + 1
    JOIN entry ON (entry.member_id, entry.id) = (seal.member_id, entry_id)
)
UPDATE seal SET chain = link.chain FROM link WHERE seal.number = link.number
"""
THIRD = "(SELECT entry_id FROM seal WHERE number = 3)"


def verify(*heads):
    return [(one.invariant, one.facts) for step in seal.verify(heads) for one in step.found]


def head_now():
    with transaction():
        last = db.session.scalars(select(Seal).order_by(Seal.number.desc()).limit(1)).one()
        db.session.expunge(last)
    return last


def kept_outside(now):
    last = head_now()
    return Head(now.date(), last.number, last.chain)


def test_untouched_books_verify_with_heads_inside_and_outside(traded, now):
    make_heads()
    head = kept_outside(now)
    traded.world.take(traded.till, traded.alice, 1)
    assert verify(head) == []
    fold_all()
    assert verify(head) == []


def test_an_amount_that_was_changed_is_found_at_its_number(traded, tamper):
    tamper(f"UPDATE line SET amount = amount + 1 WHERE entry_id = {THIRD}")
    ((name, facts),) = verify()
    assert (name, facts["number"]) == ("seal", 3)
    assert facts["found"] == "the entry or its lines were changed"


def test_a_line_that_was_taken_out_is_found(traded, tamper):
    tamper(f"DELETE FROM line WHERE ordinal = 2 AND entry_id = {THIRD}")
    ((_, facts),) = verify()
    assert facts["number"] == 3


def test_a_line_that_was_put_in_is_found(traded, tamper):
    tamper(
        "INSERT INTO line (member_id, entry_id, ordinal, book_date, store_id, debit, credit,"
        " amount, qty) SELECT member_id, entry_id, 99, book_date, store_id, '1111', '4115', 1, 0"
        f" FROM line WHERE entry_id = {THIRD} LIMIT 1"
    )
    ((_, facts),) = verify()
    assert facts["number"] == 3


def test_a_line_that_was_put_in_on_another_date_is_found(traded, tamper):
    tamper(
        "INSERT INTO line (member_id, entry_id, ordinal, book_date, store_id, debit, credit,"
        " amount, qty) SELECT member_id, entry_id, 99, '2026-01-02', store_id, '1111', '4115', 1,"
        f" 0 FROM line WHERE entry_id = {THIRD} LIMIT 1"
    )
    ((name, facts),) = verify()
    assert (name, facts["found"]) == ("stray", "2026-01-02")


def test_an_entry_that_was_taken_out_with_its_lines_is_found(traded, tamper):
    tamper(f"DELETE FROM line WHERE entry_id = {THIRD}", f"DELETE FROM entry WHERE id = {THIRD}")
    (name, facts), *_ = verify()
    assert (name, facts["number"], facts["found"]) == ("seal", 3, "the entry is missing")


def test_an_entry_that_was_taken_out_with_its_seal_is_found(traded, tamper):
    tamper(
        f"DELETE FROM line WHERE entry_id = {THIRD}",
        f"DELETE FROM entry WHERE id = {THIRD}",
        "DELETE FROM seal WHERE number = 3",
    )
    ((name, facts),) = verify()
    assert (name, facts["number"]) == ("seal", 4)
    assert facts["found"] == "the number before it is missing"


def test_an_entry_that_came_in_past_the_door_is_found(traded, tamper):
    tamper(
        "INSERT INTO entry (member_id, id, kind, source_id, event_at, occurred_on, book_date,"
        " currency, content_hash) SELECT member_id, gen_random_uuid(), kind, source_id, event_at,"
        f" occurred_on, book_date, currency, content_hash FROM entry WHERE id = {THIRD}"
    )
    assert [name for name, _ in verify()] == ["door"]


def test_a_seal_that_was_changed_is_found_where_the_chain_breaks(traded, tamper):
    tamper("UPDATE seal SET chain = sha256('another') WHERE number = 3")
    found = verify()
    assert [facts["number"] for _, facts in found] == [3, 4]
    assert "the chain breaks here" in found[0][1]["found"]


def test_a_change_with_its_hash_is_found_by_the_chain(traded, tamper):
    tamper(f"UPDATE line SET amount = amount + 1 WHERE entry_id = {THIRD}", HASHED)
    ((_, facts),) = verify()
    assert (facts["number"], "with its hash" in facts["found"]) == (3, True)


def test_a_chain_that_was_written_anew_is_found_by_a_head_outside(traded, tamper, now):
    head = kept_outside(now)
    tamper(f"UPDATE line SET amount = amount + 1 WHERE entry_id = {THIRD}", HASHED, CHAINED)
    assert verify() == []
    ((name, facts),) = verify(head)
    assert (name, facts["kept"], facts["number"]) == ("head", "outside", head.number)
    assert "another one" in facts["found"]


def test_a_head_from_before_the_change_still_agrees(traded, tamper, now):
    with transaction():
        second = db.session.get_one(Seal, 2)
    early, late = Head(now.date(), 2, second.chain), kept_outside(now)
    tamper(f"UPDATE line SET amount = amount + 1 WHERE entry_id = {THIRD}", HASHED, CHAINED)
    assert [facts["number"] for _, facts in verify(late, early)] == [late.number]


def test_an_end_that_was_cut_off_is_found_by_heads_inside_and_outside(traded, tamper, now):
    make_heads()
    head = kept_outside(now)
    tamper(
        "DELETE FROM line WHERE entry_id = (SELECT entry_id FROM seal ORDER BY number DESC"
        " LIMIT 1)",
        "DELETE FROM entry WHERE id = (SELECT entry_id FROM seal ORDER BY number DESC LIMIT 1)",
        "DELETE FROM seal WHERE number = (SELECT max(number) FROM seal)",
    )
    found = verify(head)
    assert {(name, facts["kept"]) for name, facts in found} == {
        ("head", "inside"),
        ("head", "outside"),
    }
    assert all("cut off" in facts["found"] for _, facts in found)


def test_the_first_that_is_wrong_comes_first(traded, tamper):
    tamper(
        "UPDATE line SET amount = amount + 1 WHERE entry_id IN"
        " (SELECT entry_id FROM seal WHERE number IN (2, 4))"
    )
    assert [facts["number"] for _, facts in verify()] == [2, 4]


@pytest.mark.parametrize(
    "line",
    [
        "no head",
        "{}",
        "[]",
        '{"on": "2026-01-14", "number": 0, "chain": "%s"}' % ("00" * 32),
        '{"on": "2026-01-14", "number": 3, "chain": "00"}',
        '{"on": "14 January", "number": 3, "chain": "%s"}' % ("00" * 32),
    ],
)
def test_a_line_that_is_no_head_is_named(line):
    good = Head.parse('{"on": "2026-01-14", "number": 3, "chain": "%s"}' % ("0a" * 32))
    with pytest.raises(HeadUnreadable, match=r"^Line 3 "):
        list(seal.parse_all([good.line(), "\n", line]))


def test_a_head_is_read_back_as_it_was_written(now):
    head = Head(now.date(), 7, bytes(range(32)))
    assert Head.parse(head.line()) == head
