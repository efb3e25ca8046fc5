"""What finance reads: exact to the last committed redemption, also while nothing is folded.

Each report adds up balances of the last closed month, roll-ups since then, and the lines that are
in no roll-up yet, in one statement. Callers hold a snapshot where several have to agree.
"""

from ledger.reports.control import (
    Control,
    control_liability,
    control_roll_forward,
    control_settlement,
    control_vat,
)
from ledger.reports.held import Held, held_on, liability_on
from ledger.reports.journal import EntryView, Place, Posted, get_entry, journal
from ledger.reports.roll_forward import FORMULA, Movement, roll_forward, roll_forward_range
from ledger.reports.settlement import (
    Owed,
    StatementLine,
    settlement_matrix,
    settlement_statement,
)
from ledger.reports.trial_balance import Balance, Totals, totals, trial_balance
from ledger.reports.vat import Vat, vat_summary

__all__ = [
    "FORMULA",
    "Balance",
    "Control",
    "EntryView",
    "Held",
    "Movement",
    "Owed",
    "Place",
    "Posted",
    "StatementLine",
    "Totals",
    "Vat",
    "control_liability",
    "control_roll_forward",
    "control_settlement",
    "control_vat",
    "get_entry",
    "held_on",
    "journal",
    "liability_on",
    "roll_forward",
    "roll_forward_range",
    "settlement_matrix",
    "settlement_statement",
    "totals",
    "trial_balance",
    "vat_summary",
]
