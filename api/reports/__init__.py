"""What finance reads: the books, a file for each family of reports.

Each goes out as JSON, CSV and XLSX (`api/tables`). To add one: declare a row and an answer, and
answer it from a function under `report`.
"""

from api.reports import deferred_revenue, settlement
from api.reports.asking import reports

__all__ = ["deferred_revenue", "reports", "settlement"]
