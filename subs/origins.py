"""Which paid period a lot was issued for."""

from uuid import UUID

from kernel.db import db
from subs.models import Period


def find_period(period_id: UUID) -> Period | None:
    """Find one interval of a subscription."""
    return db.session.get(Period, period_id)
