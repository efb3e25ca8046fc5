"""What finance reads: the books, a file for each family of reports.

Each goes out as JSON, CSV and XLSX (`api/tables`). To add one: declare a row and an answer, and
answer it from a function under `report`.
"""

from api.reports import (
    books_checks,
    deferred_revenue,
    liability,
    reconciliation,
    settlement,
    trial_balance,
    vat,
)
from api.reports.asking import reports

__all__ = [
    "books_checks",
    "deferred_revenue",
    "liability",
    "reconciliation",
    "reports",
    "settlement",
    "trial_balance",
    "vat",
]
