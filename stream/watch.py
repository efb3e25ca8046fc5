"""Looking for news, once a second for everybody, and for those who may no longer follow."""

import asyncio
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import psycopg
import structlog
from psycopg import AsyncConnection

from kernel import clock
from kernel.ids import new_id
from stream.connecting import connect
from stream.hub import Hub
from stream.news import News, a_while_ago, long_ago, news_since
from stream.place import LOOKS_BACK_MS, before
from stream.rights import live_of

log = structlog.get_logger()

EVERY_S = 1.0
LIVE_EVERY = 3
"""Looks between two looks for revoked devices: with the second each takes, under five seconds."""


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
        self._looks += 1
        looked, since = new_id(), self._since()
        self._told = {one for one in self._told if one > since}
        if stores := self._hub.stores:
            self._hub.tell(self._untold(await news_since(connection, stores, since=since)))
        self._looked = looked

    def _since(self) -> UUID:
        return max(long_ago(), min(a_while_ago(), before(self._looked, LOOKS_BACK_MS)))

    def _untold(self, news: Iterable[News]) -> list[News]:
        untold = [one for one in news if one.id not in self._told]
        self._told.update(one.id for one in untold)
        return untold

    async def _let_go(self, connection: AsyncConnection[Any]) -> None:
        followers = list(self._hub)  # whoever comes while we ask is not asked about
        if not followers:
            return
        now = clock.now()
        live = await live_of(connection, [follower.ticket for follower in followers], now=now)
        for follower in followers:
            if follower.ticket not in live:
                follower.end()
