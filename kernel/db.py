"""The two ways to PostgreSQL.

`db.session` (Flask-SQLAlchemy) for everything that is not hot: plain ORM code, inside
`kernel.transaction.transaction()`. `kernel.hot` for the few statements that run at every scan.
"""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, Date, DateTime, LargeBinary, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase

_names = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The base of every table. Annotations choose the column types."""

    metadata = MetaData(naming_convention=_names)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        bytes: LargeBinary,
        date: Date,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        int: BigInteger,
        str: Text,
        UUID: Uuid,
    }


def table_of(model: type[Base]) -> Table:
    """Where a model's rows are: a statement on the table itself goes past the ORM.

    That is a third cheaper, for rows that nobody asks the session for afterwards.
    """
    table = model.__table__
    assert isinstance(table, Table)
    return table


db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False})
