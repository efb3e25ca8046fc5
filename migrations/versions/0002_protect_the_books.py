"""The books are append-only, for the application's role and for everybody.

The trigger stops the owner too; the revoked rights stop the application before any trigger runs.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0002_protect_the_books"
down_revision: str | None = "0001_first_house"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_BOOKS = ("entry", "line")

_REFUSE = """
CREATE FUNCTION refuse_to_change_the_books() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the books are append-only: % on % is refused; post a reversal instead',
        TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""

# The roles are made by whoever installs the database; a single-role installation has none.
_REVOKE = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'jibei_app') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON entry, line FROM jibei_app;
    END IF;
END $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(_REFUSE)
    for table in _BOOKS:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_the_books()"
        )
    op.execute(_REVOKE)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table in _BOOKS:
        op.execute(f"DROP TRIGGER append_only ON {table}")
    op.execute("DROP FUNCTION refuse_to_change_the_books()")
