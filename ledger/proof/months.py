"""Checks of sums: roll-ups against lines, book against book, a closed month against the one before.

Whatever waits in `unfolded` is not in the roll-ups yet, and is added to them, or left out of the
lines, in the same moment.
"""

from collections.abc import Iterable

from sqlalchemy import select

from kernel.db import db
from kernel.ids import NOBODY
from ledger import policy
from ledger.models import BookMonth
from ledger.month import Month
from ledger.proof.registry import Facts, check
from ledger.proof.walks import MONTHS, WHOLE, Part
from ledger.reports import Movement, roll_forward
from ledger.service.balances import digest

_OWED = [*policy.CONTRACT_LIABILITIES, policy.BREAKAGE_CONTRA]
_BETWEEN = [policy.DUE_FROM_STORE, policy.DUE_TO_STORE]
_CELLS = {"owed": _OWED, "between": _BETWEEN, "nobody": NOBODY}


# This one takes longest, so it is begun first: two are looked at at once.
@check("roll_forward", invariant=4, walk=MONTHS)
def roll(part: Part) -> Iterable[Facts]:
    """The roll-forward of a month opens where that of the month before has closed, and adds up.

    4: proved on the report itself, as finance reads it.
    """
    month = Month(part.params["first_on"])
    closings = {_cell(row): row.closing for row in roll_forward(month.before())}
    for row in roll_forward(month):
        closed = closings.pop(_cell(row), 0)
        adds_up = _moved(row) == row.closing
        if row.opening != closed or not adds_up:
            facts = {"expected": closed, "found": row.opening, "adds_up": adds_up}
            yield {**_named(_cell(row)), **facts}
    for cell, closed in closings.items():
        if closed:
            yield {**_named(cell), "expected": closed, "found": 0}


# Both grains in one pass over the lines. Where a grain has no day, offer or counterpart it has the
# same stand-in on both sides; a day outside of time is the month. OFFSET 0 has each line's entry
# looked up by its key: else all entries there ever were are read for every month.
_SUMS = """
    WITH legs AS (
        SELECT CASE WHEN grouping(line.book_date) = 0 THEN line.book_date
                    ELSE 'infinity' END AS day,
               leg.account, line.store_id,
               CASE WHEN leg.account = ANY(:owed) THEN coalesce(line.offer_id, :nobody)
                    ELSE :nobody END AS offer_id,
               CASE WHEN leg.account = ANY(:between)
                    THEN coalesce(line.counterpart_store_id, :nobody)
                    ELSE :nobody END AS counterpart_store_id,
               entry.kind, entry.currency,
               total(leg.debit) AS debit, total(leg.credit) AS credit, total(leg.cups) AS cups
        FROM line
        CROSS JOIN LATERAL (
            SELECT kind, currency FROM entry
            WHERE entry.member_id = line.member_id AND entry.id = line.entry_id
            OFFSET 0
        ) AS entry
        LEFT JOIN unfolded
               ON unfolded.entry_id = line.entry_id AND unfolded.member_id = line.member_id
        CROSS JOIN LATERAL (
            VALUES (line.debit, line.amount, 0::bigint, -line.qty),
                   (line.credit, 0::bigint, line.amount, line.qty)
        ) AS leg (account, debit, credit, cups)
        WHERE line.book_date >= :first_on AND line.book_date < :next_on
          AND unfolded.entry_id IS NULL
        GROUP BY GROUPING SETS (
            (line.book_date, 2, 3, 6, 7), (2, 3, 4, 5, 6, 7))
    ), lines AS (
        SELECT day, account, store_id, coalesce(offer_id, :nobody) AS offer_id,
               coalesce(counterpart_store_id, :nobody) AS counterpart_store_id,
               kind, currency, debit, credit, cups
        FROM legs
    ), summed AS (
        SELECT book_date AS day, account, store_id, CAST(:nobody AS uuid) AS offer_id,
               CAST(:nobody AS uuid) AS counterpart_store_id, kind, currency, debit, credit, cups
        FROM rollup_day WHERE book_date >= :first_on AND book_date < :next_on
        UNION ALL
        SELECT 'infinity', account, store_id, offer_id, counterpart_store_id, kind, currency,
               debit, credit, cups
        FROM rollup_month WHERE first_on = :first_on
    )
    SELECT nullif(day, 'infinity') AS day, account, store_id, offer_id, counterpart_store_id,
           kind, currency,
           lines.debit AS expected_debit, summed.debit AS found_debit,
           lines.credit AS expected_credit, summed.credit AS found_credit,
           lines.cups AS expected_cups, summed.cups AS found_cups
    FROM lines
    FULL JOIN summed
        USING (day, account, store_id, offer_id, counterpart_store_id, kind, currency)
    WHERE coalesce(lines.debit, 0) <> coalesce(summed.debit, 0)
       OR coalesce(lines.credit, 0) <> coalesce(summed.credit, 0)
       OR coalesce(lines.cups, 0) <> coalesce(summed.cups, 0)
"""


@check("sums", invariant=6, walk=MONTHS)
def sums(part: Part) -> Iterable[Facts]:
    """Both roll-ups, by day and by month, are the sums of the folded lines, cell by cell.

    6: and they have no other cells. Reports add to them what is not folded yet, so that together
    they are all lines.
    """
    return part.find(_SUMS, **_CELLS)


# Everything that moved in a time: what is folded, and the legs of what is not.
_MOVED = """
    SELECT account, store_id, counterpart_store_id, currency, credit - debit AS balance
    FROM rollup_month WHERE first_on >= :first_on AND first_on < :next_on
    UNION ALL
    SELECT leg.account, line.store_id, coalesce(line.counterpart_store_id, :nobody),
           entry.currency, leg.balance
    FROM unfolded
    JOIN entry ON entry.member_id = unfolded.member_id AND entry.id = unfolded.entry_id
    JOIN line ON line.member_id = unfolded.member_id AND line.book_date = unfolded.book_date
             AND line.entry_id = unfolded.entry_id
    CROSS JOIN LATERAL (VALUES (line.debit, -line.amount), (line.credit, line.amount))
        AS leg (account, balance)
    WHERE unfolded.book_date >= :first_on AND unfolded.book_date < :next_on
"""


_FORWARD = """
    WITH named (kind, movement, sign) AS (
        VALUES ('sale', 'sold', 1), ('redemption', 'redeemed', -1), ('void', 'voided', 1),
               ('rest', 'voided', 1),
               ('lapse', 'lapsed', -1), ('breakage', 'breakage', -1), ('refund', 'refunded', -1),
               ('dispute_lost', 'charged_back', -1), ('earning', 'earned', -1),
               ('gift', 'transferred', 1), ('claim', 'transferred', 1),
               ('gift_return', 'transferred', 1), ('transfer', 'transferred', 1)
    ), kinds AS (
        SELECT store_id, offer_id, account, currency,
               coalesce(named.movement, 'adjusted') AS movement,
               total(coalesce(named.sign, 1) * (credit - debit)) AS amount,
               total(coalesce(named.sign, 1) * cups) AS cups
        FROM rollup_month LEFT JOIN named USING (kind)
        WHERE first_on = :first_on AND account = ANY(:owed)
        GROUP BY 1, 2, 3, 4, 5
    ), columns AS (
        SELECT store_id, offer_id, account, currency, beside.*
        FROM rollup_forward
        CROSS JOIN LATERAL (
            VALUES ('sold', sold, cups_sold), ('redeemed', redeemed, cups_redeemed),
                   ('voided', voided, cups_voided), ('lapsed', lapsed, cups_lapsed),
                   ('breakage', breakage, cups_breakage), ('refunded', refunded, cups_refunded),
                   ('charged_back', charged_back, cups_charged_back),
                   ('earned', earned, cups_earned),
                   ('transferred', transferred, cups_transferred),
                   ('adjusted', adjusted, cups_adjusted)
        ) AS beside (movement, amount, cups)
        WHERE first_on = :first_on
    )
    SELECT store_id, offer_id, account, currency, movement,
           kinds.amount AS expected, columns.amount AS found,
           kinds.cups AS expected_cups, columns.cups AS found_cups
    FROM kinds FULL JOIN columns USING (store_id, offer_id, account, currency, movement)
    WHERE coalesce(kinds.amount, 0) <> coalesce(columns.amount, 0)
       OR coalesce(kinds.cups, 0) <> coalesce(columns.cups, 0)
"""


@check("forward", invariant=6, walk=MONTHS)
def forward(part: Part) -> Iterable[Facts]:
    """What the roll-forward is read from has each movement as the roll-up by month has its kind.

    6: and no other cells; that roll-up in turn is proved to be the lines.
    """
    return part.find(_FORWARD, owed=_OWED)


@check("account", invariant=1, walk=MONTHS)
def account(part: Part) -> Iterable[Facts]:
    """Everything is booked on accounts of the chart.

    1: what is on an account that no report knows would be missing from a balance.
    """
    return part.find(
        """
        WITH moved AS ({moved})
        SELECT DISTINCT moved.account AS found, moved.store_id, moved.currency
        FROM moved LEFT JOIN account ON account.code = moved.account
        WHERE account.code IS NULL
        """.replace("{moved}", _MOVED),
        nobody=NOBODY,
    )


_DUE = """
    WITH moved AS ({moved})
    SELECT owing_id, owed_id, currency, sum(owing) AS expected, sum(owed) AS found
    FROM (
        SELECT store_id AS owing_id, counterpart_store_id AS owed_id, currency,
               balance AS owing, 0 AS owed
        FROM moved WHERE account = :due_to
        UNION ALL
        SELECT counterpart_store_id, store_id, currency, 0, -balance
        FROM moved WHERE account = :due_from
    ) sides
    GROUP BY owing_id, owed_id, currency
    HAVING sum(owing) <> sum(owed)
""".replace("{moved}", _MOVED)
_SIDES = {
    "due_to": policy.DUE_TO_STORE,
    "due_from": policy.DUE_FROM_STORE,
    "nobody": NOBODY,
}


@check("due", invariant=5, walk=MONTHS)
def due(part: Part) -> Iterable[Facts]:
    """In every month, what one store's book owes another is what the other's has to get.

    5: the two lines of a cup that was made elsewhere are in one entry, and so in one month.
    """
    return part.find(_DUE, **_SIDES)


@check("due_ever", invariant=5, walk=WHOLE)
def due_ever(part: Part) -> Iterable[Facts]:
    """Over all time too, what one store's book owes another is what the other's has to get.

    5: this is the balance that the settlement statements ask to be paid.
    """
    return part.find(_DUE, **_SIDES)


@check("book", invariant=1, walk=MONTHS)
def book(part: Part) -> Iterable[Facts]:
    """Each store's book balances on each day: its debits are its credits.

    1: a line cannot be unbalanced; this proves that the sums that reports read are not either.
    """
    return part.find("""
        SELECT book_date, store_id, currency, sum(debit) AS debit, sum(credit) AS credit
        FROM rollup_day
        WHERE book_date >= :first_on AND book_date < :next_on
        GROUP BY book_date, store_id, currency
        HAVING sum(debit) <> sum(credit)
    """)


_BALANCES = """
    WITH closed AS (
        SELECT first_on, version FROM book_month
        WHERE state = 'closed' AND first_on = :first_on
    ), before AS (
        SELECT first_on, version FROM book_month
        WHERE state = 'closed' AND first_on < :first_on
        ORDER BY first_on DESC LIMIT 1
    ), expected AS (
        SELECT account, store_id, offer_id, counterpart_store_id, currency,
               sum(balance) AS balance, sum(cups) AS cups, bool_or(has_moved) AS has_moved
        FROM (
            SELECT account, store_id, offer_id, counterpart_store_id, currency, balance, cups,
                   false AS has_moved
            FROM month_balance JOIN before USING (first_on, version)
            UNION ALL
            SELECT account, store_id, offer_id, counterpart_store_id, currency,
                   credit - debit, cups, first_on = :first_on
            FROM rollup_month
            WHERE first_on <= :first_on
              AND first_on > coalesce((SELECT first_on FROM before), '-infinity')
        ) moved
        WHERE EXISTS (SELECT FROM closed)
        GROUP BY account, store_id, offer_id, counterpart_store_id, currency
    ), kept AS (
        SELECT account, store_id, offer_id, counterpart_store_id, currency,
               month_balance.balance, month_balance.cups
        FROM month_balance JOIN closed USING (first_on, version)
    )
    SELECT account, store_id, offer_id, counterpart_store_id, currency,
           expected.balance AS expected, kept.balance AS found,
           expected.cups AS expected_cups, kept.cups AS found_cups
    FROM expected
    FULL JOIN kept USING (account, store_id, offer_id, counterpart_store_id, currency)
    WHERE coalesce(expected.balance, 0) <> coalesce(kept.balance, 0)
       OR coalesce(expected.cups, 0) <> coalesce(kept.cups, 0)
       OR (expected.has_moved AND kept.balance IS NULL)
"""


@check("balance", invariant=4, walk=MONTHS)
def balance(part: Part) -> Iterable[Facts]:
    """A closed month's balances are those of the month closed before it and what has moved since.

    4: for every cell that holds or moved anything, so that nothing is lost between two months.
    """
    return part.find(_BALANCES)


_CELL = Movement._fields[:4]


def _cell(row: Movement) -> tuple[object, ...]:
    return row[: len(_CELL)]


def _named(cell: tuple[object, ...]) -> Facts:
    return dict(zip(_CELL, cell, strict=True))


def _moved(row: Movement) -> int:
    came = row.opening + row.sold + row.voided + row.transferred + row.adjusted
    left = row.redeemed + row.lapsed + row.breakage + row.refunded + row.charged_back + row.earned
    return came - left


@check("digest", invariant=10, walk=MONTHS)
def digest_of_month(part: Part) -> Iterable[Facts]:
    """A closed month's balances still have the digest that was written when it was closed.

    10: the report of a closed month is made of them.
    """
    month = Month(part.params["first_on"])
    closed = db.session.scalar(
        select(BookMonth).where(BookMonth.first_on == month.first_on, BookMonth.state == "closed")
    )
    if closed is None:
        return
    found = digest(month, closed.version)
    if found != closed.digest:
        yield {"version": closed.version, "expected": closed.digest, "found": found}
