"""What the duties' SELECTs are asked: whether there is anything, for one of them or for all."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import DateTime, Select, SQLColumnExpression, bindparam, select
from sqlalchemy.dialects.postgresql import psycopg

from kernel.db import db
from kernel.queue import Duty

Found = TypeVar("Found", bound=Select[*tuple[Any, ...]])


def is_due(duty: Duty, now: datetime) -> bool:
    """Whether anything of one duty is due."""
    return db.session.scalar(duty.due(now).limit(1)) is not None


def question(duties: Sequence[Duty]) -> tuple[str, dict[str, Any]]:
    """One statement that answers for every duty, in order, whether anything is due at `now`.

    Text and parameters, `now` left open, as psycopg takes them: the tick asks without SQLAlchemy.
    """
    now: Any = bindparam("now", type_=DateTime(timezone=True))
    asked = select(*(duty.due(now).exists().label(f"duty_{at}") for at, duty in enumerate(duties)))
    compiled = asked.compile(dialect=psycopg.dialect())  # type: ignore[no-untyped-call]
    fixed = {name: value for name, value in compiled.params.items() if name != "now"}
    return str(compiled), fixed


def of(found: Found, member_id: SQLColumnExpression[UUID], whose: UUID | None) -> Found:
    """What was found of one member, by the column that says whose it is; of everybody for None."""
    return found if whose is None else found.where(member_id == whose)
