"""The journal, and the way from a line of the books to what caused it."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import marshmallow
from flask import g
from marshmallow import fields, validate

import chain
from api.auth import OfficeCaller, office
from api.fields import Day, Id, Integer, Schema, Text, Timestamp
from api.paging import Page, Position, page_of
from api.refusals import RangeTooWide
from api.reports.naming import named
from api.routing import Resource
from api.sources import SourceView, source_of
from api.spans import refuse_odd_day, refuse_wide
from api.tables import TABLE, column, rows_of
from kernel.errors import NotFound
from ledger import chart
from ledger.errors import AccountUnknown
from ledger.models.book import KINDS
from ledger.reports import Place, Posted, get_entry, journal

entries = Resource("entries", "/v1/entries", "Entries: the journal of the books.")

_FINANCE = office("finance", "admin")
_MOST_DAYS = 366
_MOST_LINES = 1_000_000
_AT_ONCE = 5_000
_ACCOUNT = validate.Regexp(r"^[A-Za-z0-9][A-Za-z0-9.-]{0,19}(?!\n)$")


class JournalQuery(Page):
    """Which lines. A file has all of them; `limit` and `cursor` are for JSON."""

    first = Day(
        required=True,
        data_key="from",
        metadata={"description": "Booked on this day or later.", "example": "2026-01-01"},
    )
    last = Day(
        required=True,
        data_key="to",
        metadata={"description": "Booked on this day or earlier.", "example": "2026-01-31"},
    )
    store_id = Id(load_default=None, metadata={"description": "Only in this store's book."})
    account = Text(
        load_default=None,
        least=1,
        most=20,
        validate=_ACCOUNT,
        metadata={"description": "Only where this account is debited or credited."},
    )


class JournalLineView(marshmallow.Schema):
    """One line of the books, with the facts of its entry."""

    book_date = column.Day("On which day it is booked.")
    store_id = column.Id("In whose book.")
    store_code = column.Text("What the chain calls it.", allow_none=True)
    store_name = column.Text("What people call it.", allow_none=True)
    owner_id = column.Id("Whose cups it moved, as a pseudonym; the zero id if nobody's.",
                         attribute="member_id")  # fmt: skip
    entry_id = column.Id("With `owner_id`, its entry.")
    ordinal = column.Count("Which line of the entry.")
    kind = column.Text("What happened.")
    debit = column.Text("The account that is debited.")
    credit = column.Text("The account that is credited.")
    amount = column.Money("In minor units of `currency`.")
    currency = column.Text("ISO 4217.")
    cups = column.Cups("How many cups moved.", attribute="qty")
    counterpart_store_id = column.Id("Which other store, if any.", allow_none=True)
    counterpart_store_code = column.Text("What the chain calls it.", allow_none=True)
    counterpart_store_name = column.Text("What people call it.", allow_none=True)
    offer_id = column.Id("What was sold, if it is known.", allow_none=True)
    offer_code = column.Text("What the chain calls it.", allow_none=True)
    lot_id = column.Id("Which lot, if any.", allow_none=True)
    event_at = column.Moment("When it happened.")
    occurred_on = column.Day("The local day it belongs to; booked later if that was closed.")
    source_id = column.Id("What caused it.")
    reverses_id = column.Id("Which entry it undoes, if any.", allow_none=True)
    seal_number = column.Count("Its entry's number in the sealed journal; none before.",
                               attribute="number", allow_none=True)  # fmt: skip


class JournalView(marshmallow.Schema):
    """The journal of some days."""

    first = Day(required=True, data_key="from", metadata={"description": "The first day."})
    last = Day(required=True, data_key="to", metadata={"description": "The last day."})
    next_cursor = Text(
        required=True,
        allow_none=True,
        metadata={"description": "For the next page; null on the last one, and in files."},
    )
    rows = rows_of(JournalLineView, "By day, store, and entry.")


class LineView(Schema):
    """One line of an entry."""

    ordinal = Integer(required=True, metadata={"description": "Counted from 1."})
    store_id = Id(required=True, metadata={"description": "In whose book."})
    debit = Text(required=True, metadata={"description": "The account that is debited."})
    credit = Text(required=True, metadata={"description": "The account that is credited."})
    amount = Integer(required=True, metadata={"description": "In minor units."})
    cups = Integer(required=True, attribute="qty", metadata={"description": "How many moved."})
    counterpart_store_id = Id(
        required=True, allow_none=True, metadata={"description": "Which other store, if any."}
    )
    offer_id = Id(
        required=True, allow_none=True, metadata={"description": "What was sold, if known."}
    )
    lot_id = Id(required=True, allow_none=True, metadata={"description": "Which lot, if any."})


class EntryView(Schema):
    """One event in the books, and what caused it."""

    owner_id = Id(
        required=True,
        metadata={"description": "Whose cups it moved, as a pseudonym; the zero id if nobody's."},
    )
    id = Id(required=True, metadata={"description": "With `owner_id`, the entry."})
    kind = Text(
        required=True,
        validate=validate.OneOf(KINDS),
        metadata={"description": "What happened."},
    )
    source_id = Id(required=True, metadata={"description": "What caused it."})
    event_at = Timestamp(required=True, metadata={"description": "When it happened."})
    occurred_on = Day(required=True, metadata={"description": "The local day it belongs to."})
    book_date = Day(required=True, metadata={"description": "On which day it is booked."})
    currency = Text(required=True, metadata={"description": "ISO 4217."})
    reverses_id = Id(
        required=True, allow_none=True, metadata={"description": "Which entry it undoes, if any."}
    )
    reversed_by_id = Id(
        required=True, allow_none=True, metadata={"description": "Which entry undid it, if any."}
    )
    seal_number = Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Its number in the sealed journal; null before."},
    )
    content_hash = Text(
        required=True, metadata={"description": "SHA-256 over all that it says, in hex."}
    )
    lines = fields.List(
        fields.Nested(LineView), required=True, metadata={"description": "In their order."}
    )
    source = fields.Nested(
        SourceView, required=True, metadata={"description": "What caused it, in its own words."}
    )


@entries.get(
    "",
    guard=_FINANCE,
    query=JournalQuery,
    answer=JournalView,
    transaction="snapshot",
    produces=TABLE,
    refusals=(RangeTooWide, AccountUnknown, NotFound),
)
def list_entries(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Read the journal: the lines of up to 366 days, by day, store and entry.

    JSON comes page by page; a file has all lines, up to a million.
    """
    del caller
    days = _days(query)
    of = {"store_id": query["store_id"], "account": query["account"]}
    if g.form.name != "json":
        rows: Any = _all_lines(*days, **of)
        return {**_span(days), "next_cursor": None, "rows": named(rows, JournalLineView)}

    def read(limit: int, after: Position | None) -> Sequence[Posted]:
        place = None if after is None else Place(*after)
        return journal(*days, **of, after=place, limit=limit)

    page = page_of(read, query=query, position=lambda line: tuple(line.place))
    rows = named(page["items"], JournalLineView)
    return {**_span(days), "next_cursor": page["next_cursor"], "rows": rows}


@entries.get(
    "/<uuid:owner_id>/<uuid:entry_id>",
    guard=_FINANCE,
    answer=EntryView,
    transaction="snapshot",
    refusals=(NotFound,),
)
def read_entry(*, caller: OfficeCaller, owner_id: UUID, entry_id: UUID) -> dict[str, Any]:
    """Read an entry, what it undoes or is undone by, and what caused it.

    A redemption is told with its store, device, drink and time; a sale with its lot and order; what
    finance booked with its reason.
    """
    del caller
    found = get_entry(owner_id, entry_id)
    entry = found.entry
    undone = entry.reverses_id and get_entry(owner_id, entry.reverses_id).entry.kind
    return {
        "owner_id": entry.member_id,
        "id": entry.id,
        "kind": entry.kind,
        "source_id": entry.source_id,
        "event_at": entry.event_at,
        "occurred_on": entry.occurred_on,
        "book_date": entry.book_date,
        "currency": entry.currency,
        "reverses_id": entry.reverses_id,
        "reversed_by_id": found.reversed_by_id,
        "seal_number": found.number,
        "content_hash": entry.content_hash.hex(),
        "lines": found.lines,
        "source": source_of(entry, undone or None),
    }


def _days(query: dict[str, Any]) -> tuple[Any, Any]:
    first, last, account = query["first"], query["last"], query["account"]
    refuse_odd_day(first, field="from")
    refuse_wide(first, last, most=_MOST_DAYS, unit="days")
    if query["store_id"] is not None:
        chain.get_store(query["store_id"])
    known = {one.code for one in chart.list_accounts(on=last)}
    if account is not None and account not in known:
        raise AccountUnknown(account=account)
    return first, last


def _span(days: tuple[Any, Any]) -> dict[str, Any]:
    return {"first": days[0], "last": days[1]}


def _all_lines(*days: Any, **of: Any) -> Iterator[Posted]:
    """Every line, in pieces, so that none is held longer than it takes to write it.

    Raises:
        RangeTooWide: there are more than a file holds.
    """
    after, written = None, 0
    while lines := journal(*days, **of, after=after, limit=_AT_ONCE):
        written += len(lines)
        if written > _MOST_LINES:
            raise RangeTooWide(asked=written, most=_MOST_LINES, unit="lines")
        yield from lines
        after = lines[-1].place
