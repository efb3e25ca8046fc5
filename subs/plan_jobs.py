"""What is told to sets of subscribers: new terms of their plans, and what is left day by day."""

from kernel import clock, queue
from kernel.transaction import again, transaction
from subs.service import daily, migration

_MEMBERS = 2_000

DUTIES = [migration.DUTY, daily.DUTY]


def announce_migrations() -> None:
    """Tell the members of an old version that they get a newer one. The RQ job."""
    queue.begun(migration.DUTY.job)
    while again(_announce):
        pass


def tell_daily() -> None:
    """Send today's message to who asked for one every day. The RQ job."""
    queue.begun(daily.DUTY.job)
    while again(_tell):
        pass


def _announce() -> bool:
    with transaction():
        return migration.announce_some(limit=_MEMBERS, now=clock.now())


def _tell() -> int:
    with transaction():
        return daily.tell_some(limit=_MEMBERS, now=clock.now(), whose=clock.whose())
