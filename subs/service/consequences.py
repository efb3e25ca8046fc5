"""What follows from deciding about a set of subscriptions, written together at its end."""

from dataclasses import dataclass, field
from datetime import datetime

from subs import notices
from subs.models import Subscription
from subs.service import closing, history, sharing


@dataclass(slots=True)
class Consequences:
    """Rows of the history, notices to members, whose cups end with their plan, and who shares on.

    `places` are those of plans that have changed; of what is `closed` nobody shares any more.
    """

    events: list[history.Told] = field(default_factory=list)
    told: list[notices.Told] = field(default_factory=list)
    closed: dict[Subscription, datetime] = field(default_factory=dict)
    places: dict[Subscription, int] = field(default_factory=dict)

    def write(self, *, now: datetime) -> None:
        """Write them, in the caller's transaction, in sets. Locks wallets, by their ids."""
        closing.close_all(self.closed)
        sharing.let_go(self.places | dict.fromkeys(self.closed, 0), now=now)
        history.write(self.events)
        notices.tell(self.told, now=now)
