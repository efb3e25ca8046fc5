"""A chain trades: members buy and collect, plans renew and lapse, finance closes month by month."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from uuid import UUID

from bench.trade.agenda import Agenda, moment
from bench.trade.chain import Chain, open_chain
from bench.trade.counter import Counters
from bench.trade.desk import Desk
from bench.trade.shoppers import join
from ledger.month import Month

Progress = Callable[[date, Counter[str]], None]
_DAYS_AFTER = 5


@dataclass(frozen=True, slots=True)
class Trade:
    """What was played. `done` counts what happened, by its name; `now` is where the play ended."""

    chain: Chain
    members: list[UUID]
    months: list[Month]
    now: datetime
    done: Counter[str] = field(default_factory=Counter)


def play(
    seed: int,
    stores: int,
    members: int,
    months: int,
    first_on: date,
    *,
    closes: bool = True,
    progress: Progress | None = None,
) -> Trade:
    """Play some months of trade of a new chain, in an application context on an empty database.

    The same seed makes the same movements of the same amounts in the same order; ids differ. It
    goes through the rooms' own verbs, and through `bench.trade.moves` where there is none yet. Each
    month is closed once it is over, the last one too: a few days of the next are then open.
    """
    chance, done = Random(seed), Counter[str]()  # noqa: S311  a play, not a secret
    first = Month.of(first_on)
    played = [first]
    while len(played) < months:
        played.append(played[-1].next())
    opens_at = moment(first.first_on, time(1))
    chain = open_chain(stores=stores, first=first, now=opens_at)
    shoppers = join(chain, members=members, chance=chance, now=opens_at)
    agenda = Agenda()
    counters = Counters(chain, shoppers, agenda, chance, done)
    desk = Desk(chain, agenda, chance, done)
    counters.start(first)
    if closes:
        desk.start(played)
    last_on = played[-1].last_on + timedelta(days=_DAYS_AFTER)
    day, now = first.first_on, opens_at
    while day <= last_on:
        counters.plan_day(day)
        day += timedelta(days=1)
        now = moment(day, time(4))
        agenda.play_until(now)
        if progress is not None:
            progress(day, done)
    return Trade(chain, [shopper.id for shopper in shoppers], played, now, done)
