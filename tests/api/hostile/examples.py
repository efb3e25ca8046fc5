"""Bodies made from a route's own schema: a valid one, and wrong values for each of its fields."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from api.fields import Cups, Day, Id, Integer, Name, QueryInteger, Timestamp

AN_ID = "0199b5a0-0000-7000-8000-000000000001"

# What a text field may be asked for; the first that a field takes is its example.
_TEXTS = ("0912345678", "pm_card_visa", "123456", "AAAA2222", "bearer", "2026-01", "en", "1001")
_NOT_TEXT = ("1", "1.5", "true", "[]", "{}", '["x"]', '"a\\u0000b"', '"\\ud800"', '"\\udc00x"')
_NOT_WHOLE = ("1.9", "1.0", "1e1", '"1"', '"１"', '"1_0"', '""', "true", "[1]", "{}",
              "9223372036854775808", "-9223372036854775809")  # fmt: skip
_HIDDEN = ('"Al\\u202eice"', '"Al\\u2066ice"', '"Al\\u200bice"', '"\\ufeff"', '"Al\\tice"', '" "')
_WRONG: tuple[tuple[type[fields.Field[Any]], tuple[str, ...]], ...] = (
    (Cups, ("0", "-1", "1000000", *_NOT_WHOLE)),
    (Integer, _NOT_WHOLE),
    (Id, ('"x"', "1", '""', f'"{{{AN_ID}}}"', f'"{AN_ID.replace("-", "")}"', *_NOT_TEXT)),
    (Timestamp, ('"2026-01-14T12:00:00"', '"2026-02-30T12:00:00Z"', '"x"', *_NOT_TEXT)),
    (Day, ('"2026-02-30"', '"20260114"', '"2026-W03-3"', '"２０２６-01-14"', '"x"', *_NOT_TEXT)),
    (fields.Boolean, ("1", "0", '"yes"', '"true"', "[]", "{}")),
    (Name, (*_HIDDEN, '""', f'"{"a" * 501}"', *_NOT_TEXT)),
    (fields.String, (f'"{"a" * 1_001}"', *_NOT_TEXT)),
    (fields.Nested, ("1", '"x"', "[]", "true", "[1]")),
    (fields.List, ("{}", '"x"', "1", "[null]", "[true]", "[[]]")),
)


@dataclass(frozen=True)
class Place:
    """A field of a body, the way to it as an error names it, and how to put a value there."""

    way: str
    field: fields.Field[Any]
    around: Callable[[str], str]

    def wrong(self) -> Iterator[str]:
        """JSON that this field must not take."""
        if not self.field.allow_none:
            yield "null"
        kind = next((wrong for kind, wrong in _WRONG if isinstance(self.field, kind)), None)
        if kind is None:
            raise AssertionError(f"{self.way}: say in _WRONG what this kind of field must refuse")
        yield from kind


def places(schema: Schema, way: str = "", around: Callable[[str], str] = str) -> Iterator[Place]:
    """Every field of a body, also those inside its parts and lists."""
    for name, field in schema.load_fields.items():
        here = f"{way}{field.data_key or name}"

        def put(value: str, name: str = field.data_key or name) -> str:
            return around(f'{{"{name}":{value}}}')

        yield Place(here, field, put)
        if isinstance(field, fields.List) and isinstance(field.inner, fields.Nested):

            def put_inside(value: str, put: Callable[[str], str] = put) -> str:
                return put(f"[{value}]")

            yield from places(field.inner.schema, f"{here}.0.", put_inside)
        if isinstance(field, fields.Nested):
            yield from places(field.schema, f"{here}.", put)


def example(schema: Schema) -> dict[str, Any]:
    """A valid body. A field whose kind is not known here is found by the schema refusing it."""
    made = {
        field.data_key or name: _value(field)
        for name, field in schema.load_fields.items()
        if field.required
    } | getattr(schema, "EXAMPLE", {})
    schema.load(made)
    return made


def _value(field: fields.Field[Any]) -> Any:
    if "example" in field.metadata:
        return field.metadata["example"]
    if isinstance(field, fields.List):
        return [_value(field.inner)] * _least(field)
    if isinstance(field, fields.Nested):
        return example(field.schema)
    for kind, value in _PLAIN:
        if isinstance(field, kind):
            return value
    chosen = [check.choices for check in field.validators if isinstance(check, validate.OneOf)]
    texts = (*(text for choices in chosen for text in choices), *_TEXTS)
    return next((text for text in texts if _takes(field, text)), None)


_PLAIN: tuple[tuple[type[fields.Field[Any]], Any], ...] = (
    (QueryInteger, "1"),
    (Integer, 1),
    (Id, AN_ID),
    (Day, "2026-01-14"),
    (Timestamp, "2036-01-14T12:00:00Z"),
    (fields.Boolean, True),
)


def _least(field: fields.Field[Any]) -> int:
    """How many items a list has at least; one, if it does not say."""
    lengths = [check.min for check in field.validators if isinstance(check, validate.Length)]
    return max([1, *(least for least in lengths if least)])


def _takes(field: fields.Field[Any], value: Any) -> bool:
    try:
        field.deserialize(value)
    except ValidationError:
        return False
    return True
