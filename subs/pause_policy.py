"""From when until when a plan may rest. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Offered:
    """A pause that begins then; the plan may go on at the soonest and at the latest on these days.

    The days are of the subscription's time zone. Where it may not be paused, none is offered.
    """

    begins_at: datetime
    time_zone: str
    first_on: date
    last_on: date

    def has(self, until: date) -> bool:
        """Whether the plan may go on on that day."""
        return self.first_on <= until <= self.last_on

    def resumes_at(self, until: date) -> datetime:
        """When it goes on: on that day, at the time of day at which the pause begins."""
        begins = self.begins_at.astimezone(ZoneInfo(self.time_zone))
        return datetime.combine(until, begins.timetz()).astimezone(UTC)


def offered(*, paid_until: datetime, now: datetime, time_zone: str, most_days: int) -> Offered:
    """What pause is offered to who has paid until then: from that end, for `most_days` at most.

    Where nobody got round to the renewal in time, it begins now: what has passed is no pause.
    """
    begins_at = max(paid_until, now)
    begins_on = begins_at.astimezone(ZoneInfo(time_zone)).date()
    return Offered(
        begins_at=begins_at,
        time_zone=time_zone,
        first_on=begins_on + timedelta(days=1),
        last_on=begins_on + timedelta(days=most_days),
    )
