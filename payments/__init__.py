"""Payment providers: what is asked of them, what they say, and the cards that members keep."""

from payments import policy
from payments.errors import (
    CardDeclined,
    CardNeedsAuthentication,
    CountUnexplained,
    HandedOut,
    NoAnswer,
    NothingLeft,
    PaymentUnderWay,
    ShiftClosed,
    SignatureInvalid,
    TerminalNotSetUp,
)
from payments.gateway import CARDS, CASH, TERMINAL, Intent
from payments.models import (
    Card,
    Dispute,
    Payment,
    PaymentDifference,
    Repayment,
    ShiftTotal,
)
from payments.queries import (
    cards_of,
    find_open,
    find_paid,
    find_payments,
    find_repayment,
    get_payment,
    get_repayment,
    list_payments,
    list_payments_of,
    list_repayments,
    list_to_hand_out,
)
from payments.reconciliation import Reconciliation, reconcile, reconciliation_lines
from payments.saved_cards import forget_card, get_card, get_card_named, list_cards
from payments.service.asking import Asking
from payments.service.begin import begin
from payments.service.begin_all import Wanted, begin_all
from payments.service.cards import save_card
from payments.service.cash import hand_out, take_cash
from payments.service.charge import cancel, charge
from payments.service.charge_all import Charging, charge_all
from payments.service.differences import list_differences
from payments.service.dispute import (
    find_disputed,
    get_dispute,
    list_disputes,
    lock_dispute,
    record_dispute,
)
from payments.service.receive import LARGEST_BODY, receive
from payments.service.record_asked import News, record_asked
from payments.service.repay import begin_repayment, left_of, repay_again
from payments.service.shift import ShiftSum, close_shift, shift_sums
from payments.service.surplus import return_surplus, surplus_owed

__all__ = [
    "CARDS",
    "CASH",
    "LARGEST_BODY",
    "TERMINAL",
    "Asking",
    "Card",
    "CardDeclined",
    "CardNeedsAuthentication",
    "Charging",
    "CountUnexplained",
    "Dispute",
    "HandedOut",
    "Intent",
    "News",
    "NoAnswer",
    "NothingLeft",
    "Payment",
    "PaymentDifference",
    "PaymentUnderWay",
    "Reconciliation",
    "Repayment",
    "ShiftClosed",
    "ShiftSum",
    "ShiftTotal",
    "SignatureInvalid",
    "TerminalNotSetUp",
    "Wanted",
    "begin",
    "begin_all",
    "begin_repayment",
    "cancel",
    "cards_of",
    "charge",
    "charge_all",
    "close_shift",
    "find_disputed",
    "find_open",
    "find_paid",
    "find_payments",
    "find_repayment",
    "forget_card",
    "get_card",
    "get_card_named",
    "get_dispute",
    "get_payment",
    "get_repayment",
    "hand_out",
    "left_of",
    "list_cards",
    "list_differences",
    "list_disputes",
    "list_payments",
    "list_payments_of",
    "list_repayments",
    "list_to_hand_out",
    "lock_dispute",
    "policy",
    "receive",
    "reconcile",
    "reconciliation_lines",
    "record_asked",
    "record_dispute",
    "repay_again",
    "return_surplus",
    "save_card",
    "shift_sums",
    "surplus_owed",
    "take_cash",
]
