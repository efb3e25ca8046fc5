"""Who follows which store, and what each is still to hear."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from stream.news import News
from stream.place import Place
from stream.ticket import Ticket

_MOST_WAITING = 1_000
"""Who is so far behind has stopped listening: it is let go, and may come back."""


class Told(NamedTuple):
    """Something that happened, as it goes over the wire but for the id: that is the follower's."""

    id: UUID
    text: bytes


@dataclass(eq=False, slots=True)
class Follower:
    """One open connection. None in its queue means that it ends, `may_return` whether for good."""

    ticket: Ticket
    place: Place
    waiting: asyncio.Queue[Told | None] = field(
        default_factory=lambda: asyncio.Queue(_MOST_WAITING + 1)
    )
    may_return: bool = True

    def tell(self, event: Told) -> None:
        """Let it hear an event that it has not heard, unless it has stopped listening."""
        if self.place.has(event.id):
            return
        if self.waiting.qsize() >= _MOST_WAITING:
            self.let_go()
        else:
            self.waiting.put_nowait(event)

    def let_go(self) -> None:
        """Let it go; it goes on after what it heard last when it comes back."""
        if not self.waiting.full():
            self.waiting.put_nowait(None)

    def end(self) -> None:
        """Let it go for good: its rights are over."""
        self.may_return = False
        self.let_go()


class Hub:
    """All followers, by store."""

    def __init__(self) -> None:
        self._followers: dict[UUID, set[Follower]] = defaultdict(set)

    def __iter__(self) -> Iterator[Follower]:
        return (one for followers in list(self._followers.values()) for one in list(followers))

    def __len__(self) -> int:
        return sum(map(len, self._followers.values()))

    @property
    def stores(self) -> list[UUID]:
        """The stores that anybody follows."""
        return list(self._followers)

    def add(self, follower: Follower) -> None:
        """Let somebody follow."""
        self._followers[follower.ticket.store_id].add(follower)

    def remove(self, follower: Follower) -> None:
        """Forget somebody who has gone."""
        followers = self._followers[follower.ticket.store_id]
        followers.discard(follower)
        if not followers:
            del self._followers[follower.ticket.store_id]

    def tell(self, news: Iterable[News]) -> None:
        """Tell everybody what happened at their store; it is written once for all of them."""
        for one in news:
            event = written(one)
            for follower in self._followers.get(one.store_id, ()):
                follower.tell(event)


def written(news: News) -> Told:
    """Write an event."""
    facts = json.dumps(news.facts, ensure_ascii=False, separators=(",", ":"), default=str)
    return Told(news.id, f"event: {news.kind}\ndata: {facts}\n".encode())
