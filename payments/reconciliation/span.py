"""The month that is reconciled, as moments."""

from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import select

import chain
from kernel.db import db
from payments.models import ProviderFetch


@dataclass(frozen=True, slots=True)
class Span:
    """`[first_on, next_on)` where the chain is, and how far the provider's news was fetched."""

    first_on: date
    next_on: date
    starts_at: datetime
    ends_at: datetime
    fetched_until: datetime | None


def span_of(first_on: date, next_on: date) -> Span:
    """The span of some days.

    Raises:
        NotFound: the chain has not been set up yet.
    """
    zone = ZoneInfo(chain.online_store().time_zone)
    fetched = select(ProviderFetch.fetched_until).where(ProviderFetch.stream == "transactions")
    return Span(
        first_on=first_on,
        next_on=next_on,
        starts_at=datetime.combine(first_on, time(), zone),
        ends_at=datetime.combine(next_on, time(), zone),
        fetched_until=db.session.scalar(fetched),
    )
