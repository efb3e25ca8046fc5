"""The merchant's balance: a movement for each charge, refund, dispute and payout.

What a charge brings can be paid out from the second midnight (UTC) after it; everything else moves
at once. Fees are taken from charges and disputes, and nothing brings them back.
"""

from sandbox.call import Call
from sandbox.ids import new_id
from sandbox.lists import Page, read_created, show_page
from sandbox.store import Document, Filter

DAY_S = 86_400
_DAYS_UNTIL_AVAILABLE = 2
_WHOLE = 10_000  # basis points


def retrieve(call: Call) -> Document:
    call.params.finish()
    return call.get_from_path("balance_transaction")


def list_transactions(call: Call) -> Document:
    """Movements, newest first; with `payout`, those that went out with it, and its own."""
    page, created = Page(call.params), read_created(call.params)
    type_ = call.params.find_text("type")
    source_id, payout_id = call.params.find_text("source"), call.params.find_text("payout")
    currency = call.params.find_text("currency")
    call.params.finish()
    if payout_id is not None:
        call.get("payout", payout_id, param="payout")
    shown = Filter(
        "balance_transaction",
        type=type_,
        source=source_id,
        payout=payout_id,
        currency=currency,
        created=created,
    )
    return show_page(call, page, shown, url="/v1/balance_transactions")


def record_charge(call: Call, charge: Document) -> str:
    """The money of a charge comes in, less the fee (half up); answers the movement's id."""
    fee = (charge["amount"] * call.fee_basis_points + _WHOLE // 2) // _WHOLE
    day = call.created - call.created % DAY_S
    movement = _movement(call, charge, "charge") | {
        "amount": charge["amount"],
        "available_on": day + _DAYS_UNTIL_AVAILABLE * DAY_S,
        "fee": fee,
        "fee_details": _fee_details(fee, charge["currency"], "Stripe processing fees"),
        "net": charge["amount"] - fee,
        "status": "pending",
    }
    return _keep_funds(call, movement)


def record_refund(call: Call, refund: Document) -> str:
    """The money of a refund goes out; answers the movement's id."""
    amount = -refund["amount"]
    movement = _movement(call, refund, "refund") | {"amount": amount, "net": amount}
    return _keep_funds(call, movement)


def record_refund_failure(call: Call, refund: Document) -> str:
    """The money of a refund comes back; answers the movement's id."""
    movement = _movement(call, refund, "refund_failure")
    return _keep_funds(call, movement | {"amount": refund["amount"], "net": refund["amount"]})


def record_withdrawal(call: Call, dispute: Document) -> Document:
    """The money of a dispute goes back to the cardholder's bank, with a fee on top."""
    fee, amount = call.dispute_fee, -dispute["amount"]
    movement = _movement(call, dispute, "adjustment") | {
        "amount": amount,
        "description": f"Chargeback withdrawal for {dispute['charge']}",
        "fee": fee,
        "fee_details": _fee_details(fee, dispute["currency"], "Dispute fee"),
        "net": amount - fee,
        "reporting_category": "dispute",
    }
    _keep_funds(call, movement)
    return movement


def record_reinstatement(call: Call, dispute: Document) -> Document:
    """The money of a won dispute comes back, without the fee."""
    movement = _movement(call, dispute, "adjustment") | {
        "amount": dispute["amount"],
        "description": f"Chargeback reversal for {dispute['charge']}",
        "net": dispute["amount"],
        "reporting_category": "dispute_reversal",
    }
    _keep_funds(call, movement)
    return movement


def record_payout(call: Call, payout: Document) -> str:
    """The money of a payout goes out; answers the movement's id."""
    amount = -payout["amount"]
    movement = _movement(call, payout, "payout") | {"amount": amount, "net": amount}
    call.session.insert(movement, facts={"payout": payout["id"]})
    return str(movement["id"])


def _keep_funds(call: Call, movement: Document) -> str:
    call.session.insert(movement)
    call.session.connection.execute(
        "INSERT INTO funds (transaction_id, currency, net, available_on) VALUES (?, ?, ?, ?)",
        (movement["id"], movement["currency"], movement["net"], movement["available_on"]),
    )
    return str(movement["id"])


def _movement(call: Call, source: Document, type_: str) -> Document:
    return {
        "id": new_id("txn_3"),
        "object": "balance_transaction",
        "amount": 0,
        "available_on": call.created,
        "balance_type": "payments",
        "created": call.created,
        "currency": source["currency"],
        "description": source.get("description"),
        "exchange_rate": None,
        "fee": 0,
        "fee_details": [],
        "net": 0,
        "reporting_category": type_,
        "source": source["id"],
        "status": "available",
        "type": type_,
    }


def _fee_details(fee: int, currency: str, description: str) -> list[Document]:
    if fee == 0:
        return []
    return [
        {
            "amount": fee,
            "application": None,
            "currency": currency,
            "description": description,
            "type": "stripe_fee",
        }
    ]
