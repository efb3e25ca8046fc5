"""Looking for news, once a second for everybody, and for those who may no longer follow."""

import asyncio
from typing import Any
from uuid import UUID

import psycopg
import structlog
from psycopg import AsyncConnection

from kernel import clock
from kernel.ids import new_id
from stream.connecting import connect
from stream.hub import Hub
from stream.news import ids_since, long_ago, news_of
from stream.place import LOOKS_BACK_MS, before
from stream.rights import live_of

log = structlog.get_logger()

EVERY_S = 1.0
LIVE_EVERY = 3
"""Looks between two looks for revoked devices: with the second each takes, under five seconds."""

DEEP_EVERY = 10
_A_LITTLE_MS = 3_000
"""So far back goes a look; every tenth one as far as any transaction may be late."""


class Watch:
    """The one connection to the database, and what was told of the last while."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._told: set[UUID] = set()
        self._looks = 0
        self._looked = new_id()

    async def run(self) -> None:
        """Look until cancelled; a database that is away is tried again."""
        while True:
            try:
                async with await connect() as connection:
                    while True:
                        await self.look(connection)
                        await asyncio.sleep(EVERY_S)
            except psycopg.Error as problem:
                log.warning(
                    "stream.database_away",
                    problem=type(problem).__name__,
                    sqlstate=problem.sqlstate,
                )
                await asyncio.sleep(EVERY_S)

    async def look(self, connection: AsyncConnection[Any]) -> None:
        """Let go whose rights have ended, and tell the others what happened since the last look.

        However long that was ago: the process may have stood still, or the database been away.
        """
        if self._looks % LIVE_EVERY == 0:
            await self._let_go(connection)
        looked, stores = new_id(), self._hub.stores
        if stores:
            ids = await ids_since(connection, stores, since=self._since())
            if fresh := [one for one in ids if one not in self._told]:
                self._hub.tell(await news_of(connection, stores, ids=fresh))
                self._told.update(fresh)
        self._looked = looked
        self._looks += 1
        if self._looks % DEEP_EVERY == 0:
            gone = before(looked, 2 * LOOKS_BACK_MS)
            self._told = {one for one in self._told if one > gone}

    def _since(self) -> UUID:
        """As far back as a transaction may be late, mostly a little; and not what nobody awaits."""
        is_deep = self._looks % DEEP_EVERY == 0
        late = before(self._looked, LOOKS_BACK_MS if is_deep else _A_LITTLE_MS)
        return max(late, long_ago(), min(follower.place.since for follower in self._hub))

    async def _let_go(self, connection: AsyncConnection[Any]) -> None:
        followers = list(self._hub)  # whoever comes while we ask is not asked about
        if not followers:
            return
        now = clock.now()
        live = await live_of(connection, [follower.ticket for follower in followers], now=now)
        for follower in followers:
            if follower.ticket not in live:
                follower.end()
