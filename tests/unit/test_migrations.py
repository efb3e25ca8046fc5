"""Two heads of migrations conflict in git, in one line, before they meet in a database."""

from pathlib import Path

from alembic.script import ScriptDirectory

ROOT = Path(__file__).parents[2]


def test_the_pinned_head_is_the_only_head():
    pinned = (ROOT / "migrations" / "HEAD").read_text(encoding="ascii").strip()
    assert ScriptDirectory(str(ROOT / "migrations")).get_heads() == [pinned]


def test_every_migration_gives_up_on_a_lock_instead_of_waiting():
    for file in (ROOT / "migrations" / "versions").glob("*.py"):
        assert file.read_text(encoding="utf-8").count("SET LOCAL lock_timeout") == 2, file.name
