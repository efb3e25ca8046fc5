"""Payouts: at each midnight (UTC) what has become available leaves for the bank, by currency.

They are made when the first request after that midnight comes, dated with it, before anything
else happens; so nobody can tell that nothing ran in the night. A payout is in transit for a day.
New Taiwan dollars are paid out whole, and the rest waits for the next payout.
"""

from dataclasses import replace
from datetime import UTC, datetime

from sandbox import balance
from sandbox.balance import DAY_S
from sandbox.call import Call
from sandbox.currencies import whole_payout
from sandbox.events import emit
from sandbox.ids import new_id
from sandbox.lists import Page, read_created, show_page
from sandbox.store import Document, Filter

_STATUSES = ("canceled", "failed", "in_transit", "paid", "pending")
_BANK_ACCOUNT = "ba_1OfTheSandboxOnly"

_AVAILABLE_NOW = """
UPDATE objects SET body = json_set(body, '$.status', 'available')
WHERE id IN (SELECT transaction_id FROM funds WHERE available_on = ?)
"""
_PAYABLE = """
SELECT funds.currency, sum(funds.net) + coalesce(max(fractions.amount), 0)
FROM funds LEFT JOIN fractions ON fractions.currency = funds.currency
WHERE funds.available_on <= ? GROUP BY funds.currency ORDER BY funds.currency
"""
_GOES_OUT = """
UPDATE objects SET facts = json_set(facts, '$.payout', ?)
WHERE id IN (SELECT transaction_id FROM funds WHERE available_on <= ? AND currency = ?)
"""


def retrieve(call: Call) -> Document:
    call.params.finish()
    return call.get_from_path("payout")


def list_payouts(call: Call) -> Document:
    page, created = Page(call.params), read_created(call.params)
    status = call.params.find_choice("status", _STATUSES)
    call.params.finish()
    shown = Filter("payout", status=status, created=created)
    return show_page(call, page, shown, url="/v1/payouts")


def catch_up(call: Call) -> None:
    """Let every day begin that has begun since the last request."""
    today = call.created - call.created % DAY_S
    row = call.session.connection.execute("SELECT begun FROM calendar").fetchone()
    begun = today - DAY_S if row is None else row[0]
    for day in range(begun + DAY_S, today + 1, DAY_S):
        midnight = datetime.fromtimestamp(day, UTC)
        _begin_day(replace(call, now=midnight, request_id=None, idempotency_key=None))
    if today > begun:
        call.session.connection.execute(
            "INSERT OR REPLACE INTO calendar (the_only, begun) VALUES (1, ?)", (today,)
        )


def _begin_day(call: Call) -> None:
    in_transit = Filter("payout", status="in_transit")
    for payout in call.session.list_older(in_transit, than=None, limit=100):
        _arrive(call, payout)
    call.session.connection.execute(_AVAILABLE_NOW, (call.created,))
    payable = call.session.connection.execute(_PAYABLE, (call.created,)).fetchall()
    for currency, available in payable:
        amount = whole_payout(available, currency)
        if amount > 0:
            _pay_out(call, currency, amount, rest=available - amount)


def _arrive(call: Call, payout: Document) -> None:
    if payout["arrival_date"] <= call.created:
        payout["status"] = "paid"
        call.session.save(payout)
        emit(call, "payout.paid", payout)


def _pay_out(call: Call, currency: str, amount: int, *, rest: int) -> None:
    payout = _payout(call, currency, amount)
    payout["balance_transaction"] = balance.record_payout(call, payout)
    call.session.insert(payout)
    connection = call.session.connection
    connection.execute(_GOES_OUT, (payout["id"], call.created, currency))
    connection.execute(
        "DELETE FROM funds WHERE available_on <= ? AND currency = ?", (call.created, currency)
    )
    connection.execute(
        "INSERT OR REPLACE INTO fractions (currency, amount) VALUES (?, ?)", (currency, rest)
    )
    emit(call, "payout.created", payout)


def _payout(call: Call, currency: str, amount: int) -> Document:
    return {
        "id": new_id("po_1"),
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": call.created + DAY_S,
        "automatic": True,
        "balance_transaction": None,
        "created": call.created,
        "currency": currency,
        "description": "STRIPE PAYOUT",
        "destination": _BANK_ACCOUNT,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "completed",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "in_transit",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
    }
