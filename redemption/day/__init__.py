"""What each store did on a business day, and what of it somebody should look at."""

from datetime import date
from uuid import UUID

from redemption.day.cells import read_cups, read_day
from redemption.day.flags import RULES, Flag
from redemption.day.sheet import Sheet, Sum, sheet_of

__all__ = ["RULES", "Flag", "Sheet", "Sum", "count_day", "day_sheet"]


def day_sheet(*, store_id: UUID, on: date) -> Sheet:
    """Answer a store's sheet of one business day, in a snapshot; of today, so far."""
    return sheet_of(read_day(store_id=store_id, on=on))


def count_day(*, store_id: UUID, on: date) -> Sheet:
    """The sheet with nothing but the cups, for screens that ask for it all the time."""
    return sheet_of(read_cups(store_id=store_id, on=on))
