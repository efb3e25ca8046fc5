"""The columns that a table may have: marshmallow fields that know how a spreadsheet shows them.

Each is given what the documents say about it. It must be there in every row; with
`allow_none=True` it may be None there, which is null, and an empty cell.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from marshmallow import fields

Values = Sequence[Any]
Cell = Literal["text", "name", "whole", "count", "share", "day", "flag"]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a column holds. `plain` writes values as JSON has them; `width` is in characters.

    `cell` says how a workbook holds it: a `name` is text that somebody typed, so it may look like
    a formula; a `text` is one that we made.
    """

    name: str
    cell: Cell
    width: int
    plain: Callable[[Values], Values]


def _texts(values: Values) -> Values:
    if _types(values) <= _TEXT:
        return values
    return [None if value is None else str(value) for value in values]


def _wholes(values: Values) -> Values:
    if _types(values) <= _WHOLE:
        return values
    return [None if value is None else int(value) for value in values]


def _isos(values: Values) -> Values:
    return [None if value is None else value.isoformat() for value in values]


def _shares(values: Values) -> Values:
    return [_SHARE._serialize(value, None, None) for value in values]  # noqa: SLF001  rounds alike


def _flags(values: Values) -> Values:
    return [None if value is None else bool(value) for value in values]


def _types(values: Values) -> set[type]:
    return set(map(type, values))


_TEXT, _WHOLE = {str, type(None)}, {int, type(None)}
_SHARE = fields.Decimal(places=4, as_string=True)


class _Column:
    kind: ClassVar[Kind]

    def __init__(
        self, about: str, *, metadata: dict[str, Any] | None = None, **options: Any
    ) -> None:
        told = {"description": about, **(metadata or {})}
        super().__init__(required=True, metadata=told, **options)  # type: ignore[call-arg]


class Id(_Column, fields.UUID):
    """An id."""

    kind = Kind("id", "text", 38, _texts)


class Text(_Column, fields.String):
    """Any text: a name, a code, a month."""

    kind = Kind("text", "name", 24, _texts)


class Day(_Column, fields.Date):
    """A date."""

    kind = Kind("day", "day", 12, _isos)


class Moment(_Column, fields.AwareDateTime):
    """A moment with its offset; text in a workbook too, whose own times know no offset."""

    kind = Kind("moment", "text", 34, _isos)


class Money(_Column, fields.Integer):
    """An amount in whole minor units; its currency has a column of its own."""

    kind = Kind("money", "whole", 16, _wholes)


class Cups(_Column, fields.Integer):
    """A number of cups; negative where they were taken."""

    kind = Kind("cups", "whole", 12, _wholes)


class Count(_Column, fields.Integer):
    """Another whole number: how many, or which."""

    kind = Kind("count", "count", 10, _wholes)


class Percent(_Column, fields.Decimal):
    """A share as a decimal of four places, 1 being the whole; a workbook shows it as per cent."""

    kind = Kind("percent", "share", 10, _shares)

    def __init__(self, about: str, **options: Any) -> None:
        written = {"type": "string", "pattern": r"^-?[0-9]+\.[0-9]{4}$"}
        super().__init__(about, metadata=written, places=4, as_string=True, **options)


class Flag(_Column, fields.Boolean):
    """Yes or no."""

    kind = Kind("flag", "flag", 8, _flags)
