"""A connection on which each statement is prepared once, and then run by libpq itself.

psycopg writes the parameters and reads the rows. What its cursors do between (look whether a
statement is worth preparing, wait so that the caller may be interrupted) costs a scan a sixth of
its CPU time, and is of no use to statements that the server ends itself (docs/adr/0048).
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from psycopg import Connection, OperationalError
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.rows import TupleRow

_MOST_PREPARED = 200
"""A statement is prepared for the types that its values have: some come in several."""

_DONE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)

_Prepared = tuple[bytes, tuple[int, ...]]


class PreparedConnection(Connection[TupleRow]):
    """A connection for short statements; whoever has it is the only one who uses it."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._names: dict[_Prepared, bytes] = {}
        self._names_given = 0
        self._values = Transformer(self)  # kept, since it finds out once how each type is written

    def run(self, sql: str, params: dict[str, Any]) -> list[TupleRow]:
        """Run a statement with `%(named)s` parameters, and answer its rows. Nothing interrupts it.

        Raises:
            psycopg.Error: as a cursor would.
        """
        numbered, names, formats = _numbered(sql)
        values = self._values
        sent = values.dump_sequence([params[name] for name in names], formats)
        name = self._names.get((numbered, values.types or ()))
        if name is None:
            name = self._prepare(numbered, values.types or ())
        result = _done(self.pgconn, self.pgconn.exec_prepared, name, sent, values.formats)
        values.set_pgresult(result)
        rows = values.load_rows(0, result.ntuples, tuple)
        values.set_pgresult(None)  # else the last answer would stay in memory
        return rows

    def _prepare(self, numbered: bytes, types: tuple[int, ...]) -> bytes:
        if len(self._names) >= _MOST_PREPARED:
            eldest = self._names.pop(next(iter(self._names)))
            _done(self.pgconn, self.pgconn.exec_, b"DEALLOCATE " + eldest)
        self._names_given += 1
        name = b"hot_%d" % self._names_given
        _done(self.pgconn, self.pgconn.prepare, name, numbered, types)
        self._names[numbered, types] = name
        return name


def _done(pgconn: PGconn, ask: Callable[..., PGresult], *asked: Any) -> PGresult:
    """What libpq answers, or the error that it means."""
    try:
        result = ask(*asked)
    except MemoryError as nothing:  # so psycopg takes no answer, which a dead connection gives too
        if pgconn.status == ConnStatus.OK:
            raise
        raise OperationalError(pgconn.get_error_message()) from nothing
    if result.status in _DONE:
        return result
    problem = error_from_result(result)
    if problem.sqlstate is None:  # not of the server: it is gone
        raise OperationalError(str(problem)) from problem
    raise problem


@cache
def _numbered(sql: str) -> tuple[bytes, list[str], list[PyFormat]]:
    """Number the parameters of a statement, once: `%(now)s` becomes `$1`, wherever it stands."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            return "%"
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    numbered = _PLACE.sub(number, sql).encode()
    return numbered, names, [PyFormat.AUTO] * len(names)


_PLACE = re.compile(r"%(?:%|\((\w+)\)s)")
