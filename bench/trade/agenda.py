"""What is to happen when: the play's own clock goes from one appointment to the next."""

import heapq
from collections.abc import Callable
from datetime import date, datetime, time
from itertools import count
from zoneinfo import ZoneInfo

from bench.trade.chain import TIME_ZONE

Act = Callable[[datetime], object]
_ZONE = ZoneInfo(TIME_ZONE)


def moment(day: date, at: time) -> datetime:
    """A time of day where the stores are."""
    return datetime.combine(day, at, _ZONE)


class Agenda:
    """Appointments in the order of their time; what was made first comes first."""

    def __init__(self) -> None:
        self._waiting: list[tuple[datetime, int, Act]] = []
        self._numbers = count()

    def at(self, moment: datetime, act: Act) -> None:
        """Do something at a moment."""
        heapq.heappush(self._waiting, (moment, next(self._numbers), act))

    def play_until(self, end: datetime) -> None:
        """Do everything that is due before a moment, and what comes of it."""
        while self._waiting and self._waiting[0][0] < end:
            now, _, act = heapq.heappop(self._waiting)
            act(now)
