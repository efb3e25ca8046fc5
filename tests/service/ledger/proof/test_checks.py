"""Each check finds what it is for, and no other one cries with it unless it must."""

from datetime import timedelta

import psycopg
import pytest

from kernel.transaction import snapshot, transaction
from ledger import proof
from ledger.content import CONTENT_HASH
from ledger.proof import CHECKS
from tests.books import everything_wrong
from tests.service.ledger.trade import DECEMBER, check_everything, fold_all, names
from vouchers.service.earning import earn, find_earning

NOBODY = "'00000000-0000-0000-0000-000000000000'"
SALE = "(SELECT id FROM entry WHERE kind = 'sale' ORDER BY id LIMIT 1)"
VOID = "(SELECT id FROM entry WHERE kind = 'void')"
OTHER = "gen_random_uuid()"
COPIED = """INSERT INTO entry
    (member_id, id, kind, source_id, event_at, occurred_on, book_date, currency, content_hash)"""
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

INVOICED = """
INSERT INTO invoice (id, member_id, store_id, legal_entity_id, source, source_id, currency,
                     gross, net, vat, taken_back_gross, taken_back_net, taken_back_vat,
                     first_on, status, random_code, sold_at)
SELECT gen_random_uuid(), member_id, store_id, (SELECT id FROM legal_entity LIMIT 1),
       '{source}', gen_random_uuid(), 'TWD', 500, 476, 24, {back}, {back}, 0,
       '2026-01-01', 'due', '0000', sold_at
FROM lot LIMIT 1"""
INVOICED_LINE = """
INSERT INTO invoice_line (invoice_id, ordinal, description, quantity, gross, net, vat, vat_code,
                          basis_points, tax_type)
SELECT id, 1, 'cups', 1, 500, 476, 24, 'standard', 500, 'taxable' FROM invoice"""
INVOICED_DOCUMENT = """
INSERT INTO invoice_document (id, invoice_id, ordinal, kind, cause_id, gross, net, vat,
                              description, made_at, status, tries, due_at)
SELECT gen_random_uuid(), invoice.id, said.* FROM invoice CROSS JOIN LATERAL ({said}) said"""
ISSUED = INVOICED_DOCUMENT.format(
    said="SELECT 1, 'issue', NULL::uuid, 500, 476, 24, 'cups', sold_at, 'due', 0, sold_at"
)
ALLOWED = INVOICED_DOCUMENT.format(
    said="SELECT 2, 'allowance', refund.id, 7, 7, 0, 'cups', sold_at, 'waiting', 0, sold_at"
    " FROM refund"
)

# ruff: noqa: ISC004  a statement is one string, however many lines it takes
# What is done to the books, and exactly which checks must say so.
BROKEN = {
    "offline_items": (
        ["""INSERT INTO offline_item (device_id, number, hash, previous_hash, item, signature,
                signed_by, store_id, serial, member_id, cups, served_at, business_day, received_at,
                outcome, cups_borne, redemption_id)
            SELECT device_id, 1, sha256(''), sha256(''), '', '', '', store_id, credential_id,
                   member_id, 1, redeemed_at, business_day, redeemed_at, 'applied', 0,
                   gen_random_uuid()
            FROM redemption LIMIT 1"""],
        {"offline_items"},
    ),
    "offline_redemptions": (
        ["UPDATE redemption SET is_offline = true WHERE voided_at IS NULL"],
        {"offline_redemptions"},
    ),
    "stray": (
        ["UPDATE line SET entry_id = gen_random_uuid() WHERE ctid = (SELECT ctid FROM line"
         f" WHERE entry_id = {SALE} AND ordinal = 2)", HASHED, CHAINED,
         "UPDATE rollup_day SET credit = credit - 24 WHERE (book_date, account) ="
         " ('2025-12-15', '2194')",
         "UPDATE rollup_day SET debit = debit - 24 WHERE (book_date, account, kind) ="
         " ('2025-12-15', '1111', 'sale')",
         "UPDATE rollup_month SET credit = credit - 24 WHERE (first_on, account) ="
         " ('2025-12-01', '2194')",
         "UPDATE rollup_month SET debit = debit - 24 WHERE (first_on, account, kind) ="
         " ('2025-12-01', '1111', 'sale')"],
        {"stray"},
    ),
    "account": (
        ["DELETE FROM account WHERE code = '2194'"],
        {"account"},
    ),
    "empty": (
        [f"{COPIED} SELECT member_id, {OTHER}, kind, source_id, event_at, occurred_on,"
         f" book_date, currency, content_hash FROM entry WHERE id = {SALE}",
         "INSERT INTO unfolded (entry_id, member_id, book_date) SELECT id, member_id, book_date"
         " FROM entry WHERE NOT EXISTS (SELECT FROM seal WHERE entry_id = id)", HASHED],
        {"empty"},
    ),
    "content": (
        ["UPDATE entry SET event_at = event_at + interval '1 microsecond'"
         f" WHERE id = {SALE}"],
        {"content"},
    ),
    "reversal of more": (
        ["UPDATE line SET lot_id = NULL WHERE debit = '4111' AND lot_id IS NOT NULL"
         f" AND entry_id = {VOID}", HASHED, CHAINED],
        {"reversal"},
    ),
    "reversal of nothing": (
        ["UPDATE entry SET reverses_id = gen_random_uuid() WHERE kind = 'void'", HASHED, CHAINED],
        {"reversal", "voided"},
    ),
    "reversal of another day": (
        ["UPDATE entry SET occurred_on = occurred_on - 1 WHERE kind = 'void'", HASHED, CHAINED],
        {"reversal"},
    ),
    "door": (
        [f"{COPIED} SELECT member_id, {OTHER}, 'top_up', source_id, event_at, occurred_on,"
         f" book_date, currency, content_hash FROM entry WHERE id = {SALE}",
         "INSERT INTO line (member_id, entry_id, ordinal, book_date, store_id, debit, credit,"
         " amount, qty) SELECT entry.member_id, entry.id, 1, entry.book_date, line.store_id,"
         " '1111', '4115', 1, 0 FROM entry, line WHERE entry.kind = 'top_up' LIMIT 1", HASHED],
        {"door", "sums"},
    ),
    "waiting": (
        ["INSERT INTO unfolded VALUES (gen_random_uuid(), gen_random_uuid(), '2026-01-14')"],
        {"waiting"},
    ),
    "chain with a gap": (
        ["UPDATE seal SET number = number + 100 WHERE number = (SELECT max(number) FROM seal)"],
        {"chain"},
    ),
    "chain with another link": (
        ["UPDATE seal SET chain = sha256('another') WHERE number = 3"],
        {"chain"},
    ),
    "chain without an entry": (
        ["INSERT INTO seal SELECT number + 1, gen_random_uuid(), gen_random_uuid(), chain"
         " FROM seal ORDER BY number DESC LIMIT 1"],
        {"chain"},
    ),
    "sums of a day": (
        ["UPDATE rollup_day SET debit = debit + 1, credit = credit + 1 WHERE account = '2194'"
         " AND book_date = '2026-01-14'"],
        {"sums"},
    ),
    "sums of a day without lines": (
        [f"INSERT INTO rollup_day VALUES ('2024-02-03', '1111', {OTHER}, 'sale', 'TWD', 1, 1, 0)"],
        {"sums"},
    ),
    "sums of a month": (
        ["UPDATE rollup_month SET cups = cups + 1 WHERE account = '4111'"
         " AND first_on = '2026-01-01'"],
        {"sums"},
    ),
    "sums of a month without lines": (
        [f"INSERT INTO rollup_month VALUES ('2026-01-01', '1111', {OTHER}, {NOBODY}, {NOBODY},"
         " 'sale', 'TWD', 1, 1, 0)"],
        {"sums"},
    ),
    "sums of a month that has lost a cell": (
        ["DELETE FROM rollup_month WHERE account = '4111' AND first_on = '2026-01-01'"],
        {"sums"},
    ),
    "forward": (
        ["UPDATE rollup_forward SET sold = sold + 1, cups_earned = 1"],
        {"forward"},
    ),
    "forward without its cell": (
        ["DELETE FROM rollup_forward WHERE first_on = '2026-01-01'"],
        {"forward"},
    ),
    "book": (
        ["UPDATE rollup_day SET debit = debit + 1 WHERE account = '4111'"
         " AND book_date = '2026-01-14'"],
        {"book", "sums"},
    ),
    "due": (
        ["UPDATE rollup_month SET debit = debit + 1 WHERE account = '1171'"
         " AND first_on = '2026-01-01' AND kind = 'redemption'"],
        {"due", "due_ever", "sums"},
    ),
    "due in one month each": (
        ["UPDATE rollup_month SET debit = debit + 1 WHERE account = '1171'"
         " AND first_on = '2026-01-01' AND kind = 'redemption'",
         "INSERT INTO rollup_month SELECT '2026-02-01', '2171', counterpart_store_id, offer_id,"
         " store_id, kind, currency, 0, 1, 0 FROM rollup_month WHERE account = '1171'"
         " AND first_on = '2026-01-01' AND kind = 'redemption'"],
        {"due", "sums"},
    ),
    "lot": (
        ["UPDATE line SET lot_id = (SELECT id FROM lot WHERE lot.member_id <> line.member_id)"
         f" WHERE entry_id = {SALE} AND credit = '2131'", HASHED, CHAINED],
        {"lot"},
    ),
    "pool": (
        ["UPDATE lot SET used = used + 1 WHERE used = 5"],
        {"lot", "pool"},
    ),
    "handed": (
        ["UPDATE redemption_line SET amount = amount + 1 WHERE cups = 3"],
        {"handed"},
    ),
    "handed in cups": (
        ["UPDATE redemption SET cups = cups + 1 WHERE cups = 3"],
        {"handed"},
    ),
    "topped_up": (
        ["UPDATE redemption SET top_up = 12, top_up_vat = 1 WHERE cups = 3"],
        {"topped_up"},
    ),
    "refunds owed": (
        ["INSERT INTO refund (id, payer_id, purpose, purpose_id, store_id, reason, basis,"
         " currency, gross, kept, fee, payable, status, refunded_at)"
         f" SELECT {OTHER}, {OTHER}, 'voucher_order', {OTHER}, id, 'request', 'allocated',"
         " 'TWD', 7, 0, 0, 7, 'owed', now() FROM store WHERE is_online"],
        {"refunds_owed"},
    ),
    "disputed": (
        ["INSERT INTO dispute (id, provider_ref, payment_id, amount, currency, reason, status,"
         f" followed, opened_at) VALUES ({OTHER}, 'dp_1', {OTHER}, 7, 'TWD', 'fraudulent',"
         " 'open', 'open', now())"],
        {"disputed"},
    ),
    "invoice": (
        [INVOICED.format(source="top_up", back=0), ISSUED],
        {"invoice"},
    ),
    "sold_vat": (
        ["UPDATE lot SET vat = vat + 1 WHERE is_open"],
        {"sold_vat"},
    ),
    "invoiced_vat": (
        [INVOICED.format(source="order", back=0), INVOICED_LINE, ISSUED],
        {"invoiced_vat"},
    ),
    "taken_back_vat": (
        ["INSERT INTO refund (id, payer_id, purpose, purpose_id, store_id, reason, basis,"
         " currency, gross, kept, fee, payable, status, refunded_at, paid_at)"
         f" SELECT {OTHER}, {OTHER}, 'voucher_order', {OTHER}, id, 'request', 'allocated',"
         " 'TWD', 7, 0, 0, 7, 'paid', now(), now() FROM store WHERE is_online",
         "INSERT INTO refund_line (refund_id, ordinal, member_id, lot_id, cups, net, vat,"
         " kept_net, kept_vat, fee_net, fee_vat, entry_id)"
         " SELECT refund.id, 1, entry.member_id, entry.source_id, 1, 7, 0, 0, 0, 0, 0, entry.id"
         f" FROM refund, entry WHERE entry.id = {SALE}",
         INVOICED.format(source="redemption", back=7), INVOICED_LINE, ISSUED, ALLOWED],
        {"taken_back_vat"},
    ),
    "under_way": (
        [
            "INSERT INTO gift (id, giver_id, status, cups, given_at, ends_at, due_at)"
            " SELECT id, member_id, 'open', 1, sold_at, sold_at, sold_at FROM lot LIMIT 1",
            "INSERT INTO gift_item (gift_id, ordinal, member_id, lot_id, cups, net, vat)"
            " SELECT id, 1, giver_id, id, 1, 43, 2 FROM gift",
        ],
        {"under_way", "under_way_pool"},
    ),
    "voided": (
        ["UPDATE redemption SET voided_at = NULL, cups_voided = 0 WHERE voided_at IS NOT NULL"],
        {"voided", "voids", "handed"},
    ),
    "voids": (
        ["DELETE FROM redemption_void"],
        {"voids"},
    ),
    "redeemed": (
        ["UPDATE redemption SET entry_id = gen_random_uuid() WHERE cups = 3"],
        {"redeemed", "handed"},
    ),
}  # fmt: skip

BROKEN_CLOSED = {
    "balance": (
        ["UPDATE month_balance SET balance = balance + 1 WHERE account = '2131'"],
        {"balance", "digest", "roll_forward"},
    ),
    "balance that is missing": (
        ["DELETE FROM month_balance WHERE account = '2131'"],
        {"balance", "digest", "roll_forward"},
    ),
    "balance that moved since": (
        ["UPDATE rollup_month SET credit = credit + 1, debit = debit + 1 WHERE account = '2131'"
         " AND first_on = '2025-12-01'",
         "UPDATE rollup_month SET cups = cups + 1 WHERE account = '4111'"
         " AND first_on = '2025-12-01'"],
        {"balance", "sums"},
    ),
    "digest": (
        ["UPDATE book_month SET digest = sha256('another')"],
        {"digest"},
    ),
}  # fmt: skip


def test_trade_that_was_done_well_has_no_findings(closed):
    assert check_everything() == []


def test_trade_that_is_not_folded_yet_has_no_findings(traded):
    traded.world.take(traded.till, traded.alice, 1)
    assert check_everything() == []
    fold_all()
    assert check_everything() == []


def test_empty_books_have_no_findings(app):
    assert check_everything() == []


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_is_found_by_its_check_alone(traded, tamper, case):
    statements, expected = BROKEN[case]
    tamper(*statements)
    assert names(everything_wrong()) == expected


@pytest.mark.parametrize("case", BROKEN_CLOSED)
def test_a_closed_month_that_is_broken_is_found(closed, tamper, case):
    statements, expected = BROKEN_CLOSED[case]
    tamper(*statements)
    assert names(everything_wrong()) == expected


def test_a_lot_past_its_constraints_is_found(traded, engines, tamper):
    """The table refuses such a row even to a superuser, so its constraints are away meanwhile."""
    constraints = {
        "ck_lot_open_has_cups": "units = 0 OR is_open = (used < units)",
        "ck_lot_empty_is_recognised": "is_open OR (net_recognised = net AND vat_gone = vat)",
    }
    with psycopg.connect(engines.postgres.url("postgres", "jibei"), autocommit=True) as connection:
        for name in constraints:
            connection.execute(f"ALTER TABLE lot DROP CONSTRAINT {name}")
        try:
            tamper("UPDATE lot SET is_open = false WHERE used = 5")
            assert names(check_everything()) == {"bounds", "pool"}
            tamper("UPDATE lot SET is_open = true WHERE used = 5")
        finally:
            connection.execute("UPDATE lot SET is_open = (used < units)")
            for name, said in constraints.items():
                connection.execute(f"ALTER TABLE lot ADD CONSTRAINT {name} CHECK ({said})")


def test_days_that_were_not_earned_straight_are_found(world, tamper):
    world.add_offer("club", cups=0, bonus_cups=0, is_unlimited=True, kind="plan")
    world.add_days(world.add_member(), "club")
    now = world.now + timedelta(days=9)
    with transaction():
        (part,) = find_earning(lots=9, wallets=9, now=now)
        earn(part, now=now)
    fold_all()
    assert check_everything() == []
    tamper("UPDATE lot SET earns_days = earns_days + 1")
    assert names(check_everything()) == {"earned"}


def test_every_check_is_broken_here_once():
    cases = [*BROKEN.values(), *BROKEN_CLOSED.values()]
    assert {name for _, says in cases for name in says} | {"bounds", "earned"} == set(CHECKS)


def test_a_month_is_proved_before_it_is_closed(traded, tamper):
    with snapshot():
        assert proof.check_month(DECEMBER) == []
    tamper("UPDATE rollup_day SET debit = debit + 1 WHERE book_date = '2025-12-15'")
    with snapshot():
        assert names(proof.check_month(DECEMBER)) == {"sums", "book"}
        assert proof.check_month(DECEMBER.next()) == []


def test_a_finding_says_what_was_expected_and_what_is_there(traded, tamper):
    tamper("UPDATE rollup_month SET cups = cups + 1 WHERE account = '4111' AND kind = 'void'")
    (found,) = check_everything()
    assert found.facts["account"] == "4111"
    assert found.facts["kind"] == "void"
    assert found.facts["found_cups"] == found.facts["expected_cups"] + 1
