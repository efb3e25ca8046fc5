"""Connections to the database: for the watch one, and one for all who come."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection, AsyncRawCursor

from kernel.config import config


async def connect() -> AsyncConnection[Any]:
    """A connection that only reads."""
    return await AsyncConnection.connect(
        config().database_url.replace("+psycopg", ""),
        autocommit=True,
        cursor_factory=AsyncRawCursor,
        options="-c timezone=UTC -c statement_timeout=5s -c default_transaction_read_only=on",
    )


class Counter:
    """The one connection at which those who come are asked in, one after the other.

    Thousands of screens come back at once when the process was away; a connection for each would
    take all that the database has from the tills.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._connection: AsyncConnection[Any] | None = None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[AsyncConnection[Any]]:
        """Wait for one's turn, and have the connection."""
        async with self._turn:
            if self._connection is None or self._connection.closed:
                self._connection = await connect()
            yield self._connection

    async def close(self) -> None:
        """Leave."""
        if self._connection is not None:
            await self._connection.close()
