"""The tables of the books."""

from ledger.models.adjustment import Adjustment, AdjustmentLine
from ledger.models.book import Entry, Line, Unfolded
from ledger.models.book_month import BookMonth, BookMonthStep, Reopening
from ledger.models.breakage import BreakageEstimate, BreakageRun
from ledger.models.chart import Account, AccountLabel, VatRate
from ledger.models.proof import BooksCheck, Finding
from ledger.models.rollup import MonthBalance, RollupDay, RollupForward, RollupMonth
from ledger.models.seal import Seal, SealHead
from ledger.models.settlement import SettlementPayment

__all__ = [
    "Account",
    "AccountLabel",
    "Adjustment",
    "AdjustmentLine",
    "BookMonth",
    "BookMonthStep",
    "BooksCheck",
    "BreakageEstimate",
    "BreakageRun",
    "Entry",
    "Finding",
    "Line",
    "MonthBalance",
    "Reopening",
    "RollupDay",
    "RollupForward",
    "RollupMonth",
    "Seal",
    "SealHead",
    "SettlementPayment",
    "Unfolded",
    "VatRate",
]
