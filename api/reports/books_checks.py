"""The checks of the books: what was run, and what does not hold."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from marshmallow import Schema, fields

from api.auth import OfficeCaller
from api.fields import Id, Integer, Timestamp
from api.reports.asking import report
from api.tables import column, rows_of
from kernel.errors import NotFound
from ledger import checks
from ledger.models import Finding

_LAST = 20


class ChecksQuery(Schema):
    """Of which check."""

    check_id = Id(
        load_default=None,
        metadata={"description": f"Only what this one found; else that of the last {_LAST}."},
    )


class FindingView(Schema):
    """Something that does not hold."""

    check_id = column.Id("Which check found it.")
    found_at = column.Moment("When.")
    invariant = column.Text("What does not hold.")
    facts = column.Text("Where, what was expected and what is there, as JSON.")


class CheckView(Schema):
    """One run over all that must hold."""

    id = Id(required=True, metadata={"description": "To ask for its findings by."})
    started_at = Timestamp(required=True, metadata={"description": "When it began."})
    finished_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When it ended; null before."}
    )
    checked = Integer(required=True, metadata={"description": "How many rows it has looked at."})
    findings = Integer(required=True, metadata={"description": "How much it has found."})


class ChecksView(Schema):
    """The last checks of the books, and what they found."""

    checks = fields.List(
        fields.Nested(CheckView), required=True, metadata={"description": "The latest first."}
    )
    rows = rows_of(FindingView, "In the order in which it was found.")


@report("/books-checks", query=ChecksQuery, answer=ChecksView, refusals=(NotFound,))
def books_checks(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Read the last checks of the books, and what they found."""
    del caller
    check_id = query["check_id"]
    runs = checks.list_checks(limit=_LAST) if check_id is None else [checks.get_check(check_id)]
    return {"checks": runs, "rows": _told(checks.findings_of([run.id for run in runs]))}


def _told(findings: Iterable[Finding]) -> Iterator[tuple[Any, ...]]:
    for found in findings:
        facts = json.dumps(found.facts, ensure_ascii=False, sort_keys=True)
        yield found.check_id, found.found_at, found.invariant, facts
