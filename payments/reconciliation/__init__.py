"""Our payments of a month against the provider's balance: line by line, in sums, by payout.

A difference is never hidden: every payment and every movement of the month is on a line, and the
differences of the lines add up to those of the sums. All amounts here are in the provider's minor
units (TWD: hundredths), but `cash_expected` and `surplus`, which are in ours.
"""

from payments.reconciliation.report import reconcile, reconciliation_lines
from payments.reconciliation.shown import Charged, Held, Line, PaidOut, Reconciliation, Verdict

__all__ = [
    "Charged",
    "Held",
    "Line",
    "PaidOut",
    "Reconciliation",
    "Verdict",
    "reconcile",
    "reconciliation_lines",
]
