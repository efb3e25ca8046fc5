"""Looking for news, once a second for everybody, and for those who may no longer follow."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import psycopg
import structlog
from psycopg import AsyncConnection, AsyncRawCursor

from kernel import clock
from kernel.config import config
from stream.hub import Hub
from stream.news import News, a_while_ago, live_of, news_since

log = structlog.get_logger()

EVERY_S = 1.0
LIVE_EVERY = 4
"""Looks between two looks for revoked devices: with the second each takes, under five seconds."""


class Watch:
    """The one connection to the database, and what was told of the last while."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._told: set[UUID] = set()
        self._looks = 0

    async def run(self) -> None:
        """Look until cancelled; a database that is away is tried again."""
        while True:
            try:
                async with connected() as connection:
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
        """Tell what happened since the last look, and let go whose rights have ended."""
        since = a_while_ago()
        self._told = {one for one in self._told if one > since}
        if stores := self._hub.stores:
            fresh = await news_since(connection, stores, since=since)
            self._hub.tell(self._untold(fresh))
        self._looks += 1
        if self._looks % LIVE_EVERY == 0:
            await self._let_go(connection)

    def _untold(self, news: Iterable[News]) -> list[News]:
        untold = [one for one in news if one.id not in self._told]
        self._told.update(one.id for one in untold)
        return untold

    async def _let_go(self, connection: AsyncConnection[Any]) -> None:
        followers = list(self._hub)  # whoever comes while we ask is not asked about
        if not followers:
            return
        principals = {follower.ticket.principal_id for follower in followers}
        live, now = await live_of(connection, principals), clock.now()
        for follower in followers:
            if follower.ticket.principal_id not in live or follower.ticket.ends_at <= now:
                follower.end()


@asynccontextmanager
async def connected() -> AsyncIterator[AsyncConnection[Any]]:
    """A connection that only reads."""
    connection = await AsyncConnection.connect(
        config().database_url.replace("+psycopg", ""),
        autocommit=True,
        cursor_factory=AsyncRawCursor,
        options="-c timezone=UTC -c statement_timeout=5s -c default_transaction_read_only=on",
    )
    async with connection:
        yield connection
