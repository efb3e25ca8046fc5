"""Keep how far a device's clock was off when it was last heard from."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010_keep_clock_skew"
down_revision: str | None = "0009_redeem_everywhere"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # A migration that cannot get its lock gives up instead of queueing every request behind it.
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("device", sa.Column("clock_skew_ms", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_column("device", "clock_skew_ms")
