"""Checks of money that goes back: what is owed to payers, and what banks hold, is in the books."""

from collections.abc import Iterable

from ledger import policy
from ledger.proof import WHOLE, Facts, Part, check

_BOOKED = """
    moved AS (
        SELECT store_id, currency, credit - debit AS amount
        FROM rollup_month WHERE account = :account
        UNION ALL
        SELECT line.store_id, entry.currency,
               CASE WHEN line.credit = :account THEN line.amount ELSE -line.amount END
        FROM unfolded
        JOIN entry ON entry.member_id = unfolded.member_id AND entry.id = unfolded.entry_id
        JOIN line ON line.member_id = unfolded.member_id
                 AND line.book_date = unfolded.book_date
                 AND line.entry_id = unfolded.entry_id
        WHERE :account IN (line.debit, line.credit)
    )
"""


@check("refunds_owed", invariant=3, walk=WHOLE)
def refunds_owed(part: Part) -> Iterable[Facts]:
    """What payers are owed, refunds and surplus that have not arrived, is in the books.

    3: by store; money that nobody had to pay is owed by the online store.
    """
    return part.find(
        f"""
        WITH owed AS (
            SELECT store_id, currency, payable AS amount FROM refund WHERE status <> 'paid'
            UNION ALL
            SELECT (SELECT id FROM store WHERE is_online), currency, max(amount)
            FROM repayment WHERE purpose = 'surplus'
            GROUP BY purpose_id, currency
            HAVING NOT bool_or(status = 'succeeded')
        ), held AS (
            SELECT store_id, currency, sum(amount) AS amount FROM owed GROUP BY 1, 2
        ), {_BOOKED}, booked AS (
            SELECT store_id, currency, sum(amount) AS amount FROM moved GROUP BY 1, 2
        )
        SELECT store_id, currency, booked.amount AS expected, held.amount AS found
        FROM held FULL JOIN booked USING (store_id, currency)
        WHERE coalesce(held.amount, 0) <> coalesce(booked.amount, 0)
        """,  # noqa: S608  of our own text
        account=policy.REFUND_PAYABLE,
    )


@check("disputed", invariant=3, walk=WHOLE)
def disputed(part: Part) -> Iterable[Facts]:
    """What banks hold of disputed payments is in the books, as far as disputes were followed.

    3: a dispute whose news is still on its way is in neither.
    """
    return part.find(
        f"""
        WITH held AS (
            SELECT currency, sum(amount) AS amount
            FROM dispute WHERE followed = 'open'
            GROUP BY currency
        ), {_BOOKED}, booked AS (
            SELECT currency, -sum(amount) AS amount FROM moved GROUP BY currency
        )
        SELECT currency, booked.amount AS expected, held.amount AS found
        FROM held FULL JOIN booked USING (currency)
        WHERE coalesce(held.amount, 0) <> coalesce(booked.amount, 0)
        """,  # noqa: S608  of our own text
        account=policy.DISPUTED,
    )
