"""How a migration runs: as the role that owns the tables, against all the rooms' models."""

from alembic import context
from sqlalchemy import create_engine, pool

import chain.models
import invoicing.models
import kernel.idempotency
import kernel.outbox
import ledger.models
import members.models
import payments.models
import redemption.models
import subs.models
import vouchers.models
from kernel.config import config
from kernel.db import Base

TABLES = (
    chain.models,
    invoicing.models,
    kernel.idempotency,
    kernel.outbox,
    ledger.models,
    members.models,
    payments.models,
    redemption.models,
    subs.models,
    vouchers.models,
)


def run() -> None:
    """Bring the database to the wanted revision, in one transaction."""
    url = config().database_owner_url.replace("postgresql://", "postgresql+psycopg://", 1)
    with create_engine(url, poolclass=pool.NullPool).connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata)
        with context.begin_transaction():
            context.run_migrations()


run()
