"""The journal of a month as a file, for tools that are not ours."""

from collections.abc import Iterator
from typing import IO, Any

from flask import Response
from flask.globals import request_ctx
from marshmallow import validate

import vouchers
from api.auth import OfficeCaller, office
from api.fields import Schema, Text
from api.files import file_answer, name_file
from api.routing import Resource
from api.spans import month_named
from ledger import export
from ledger.errors import PeriodInvalid, PeriodState
from ledger.month import Month

exports = Resource("exports", "/v1/exports", "Exports: the journal of a month, for other tools.")

_FINANCE = office("finance", "admin")


class ExportQuery(Schema):
    """For which tool."""

    format = Text(
        required=True,
        validate=validate.OneOf(tuple(export.FORMS)),
        metadata={
            "description": "`beancount` and `hledger` prove the file by themselves; `csv` is for"
            " the accountants' own system, under their codes."
        },
    )
    provisional = Text(
        load_default="false",
        validate=validate.OneOf(("false", "true")),
        metadata={"description": "`true`: also a month that is not closed, as it stands now."},
    )


@exports.get(
    "/<period>",
    guard=_FINANCE,
    query=ExportQuery,
    transaction="snapshot",
    produces=("text/plain", "text/csv"),
    refusals=(PeriodInvalid, PeriodState),
)
def export_period(*, caller: OfficeCaller, period: str, query: dict[str, Any]) -> Response:
    """Read the journal of a closed month, with what every account held before and after it.

    As a file of its own, whose last lines assert the balances. The same version of a month is the
    same file, byte for byte.
    """
    del caller
    month, form = month_named(period), export.FORMS[query["format"]]
    is_provisional = query["provisional"] == "true"
    pieces = export.chunks(
        month=month,
        form=form.name,
        offers=vouchers.list_offer_codes(),
        is_provisional=is_provisional,
    )
    response = file_answer(
        lambda file: _write(file, pieces),
        content_type=form.content_type,
        sent=request_ctx.request,
    )
    name_file(response, _name(month, form.ending, is_provisional=is_provisional))
    return response


def _write(file: IO[bytes], pieces: Iterator[str]) -> None:
    for piece in pieces:
        file.write(piece.encode())


def _name(month: Month, ending: str, *, is_provisional: bool) -> str:
    return f"books-{month}{'-provisional' if is_provisional else ''}.{ending}"
