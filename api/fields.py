"""Fields that take exactly what the interface promises, where marshmallow's own take more."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import marshmallow
from marshmallow import RAISE, ValidationError, fields, utils, validate

MAX_INT = 2**63 - 1

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}"
    r"(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # rare names may be in Co or Cn: those pass
_DAY_AROUND = timedelta(days=1)
_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_FORBIDDEN = "Contains a character that is not allowed."


class Integer(fields.Integer):
    """A JSON integer from `least` to `most`: no 1.0, no "1", no true, nothing beyond 64 bits."""

    def __init__(self, *, least: int = -MAX_INT - 1, most: int = MAX_INT, **options: Any) -> None:
        options["validate"] = [validate.Range(least, most), *_as_list(options.get("validate"))]
        super().__init__(strict=True, **options)


class Cups(Integer):
    """How many cups, or packs of them: at least one."""

    def __init__(self, *, most: int = 1_000, **options: Any) -> None:
        super().__init__(least=1, most=most, **options)


class Flag(fields.Boolean):
    """JSON's true or false: no 1, no "yes"."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return bool(super()._deserialize(value, attr, data, **kwargs))


class QueryInteger(Integer):
    """An integer in an address, where everything is text: plain decimal digits only."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> int:
        if not isinstance(value, str) or not _WHOLE.fullmatch(value):
            raise self.make_error("invalid")
        return super()._deserialize(int(value), attr, data, **kwargs)


class Id(fields.UUID):
    """An id, opaque to callers; a UUID in its usual form inside."""

    default_error_messages = {"invalid_uuid": "Not a valid id."}  # noqa: RUF012  marshmallow\'s way

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> UUID:
        if not isinstance(value, str) or not _UUID.fullmatch(value):
            raise self.make_error("invalid_uuid")
        return super()._deserialize(value, attr, data, **kwargs)


class Timestamp(fields.AwareDateTime):
    """A moment as in RFC 3339, with its offset; aware and in UTC inside."""

    default_error_messages = {"invalid": "Give a time with its offset, as in RFC 3339."}  # noqa: RUF012  marshmallow\'s way

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> datetime:
        if not isinstance(value, str) or not _MOMENT.fullmatch(value):
            raise self.make_error("invalid")
        moment = super()._deserialize(value.upper(), attr, data, **kwargs)
        try:
            inside = moment.astimezone(UTC)
            _ = inside - _DAY_AROUND, inside + _DAY_AROUND  # people are told it in their own zone
        except OverflowError as problem:
            raise self.make_error("invalid") from problem
        return inside


class Day(fields.Date):
    """A calendar date, YYYY-MM-DD."""

    default_error_messages = {"invalid": "Give a date as YYYY-MM-DD."}  # noqa: RUF012  marshmallow\'s way

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> date:
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            raise self.make_error("invalid")
        return super()._deserialize(value, attr, data, **kwargs)


class Text(fields.String):
    """Text of bounded length that PostgreSQL can store."""

    def __init__(self, *, least: int = 0, most: int = 1_000, **options: Any) -> None:
        length = validate.Length(least, most)
        options["validate"] = [length, *_as_list(options.get("validate"))]
        super().__init__(**options)


class Name(Text):
    """A name for people's eyes: trimmed, not empty, nothing invisible in it.

    Control, bidi and zero-width characters are refused, since they make one name look like
    another; so are lone surrogates.
    """

    def __init__(self, *, most: int = 100, **options: Any) -> None:
        super().__init__(least=1, most=most, **options)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        name = super()._deserialize(value, attr, data, **kwargs).strip()
        if any(_is_hidden(letter) for letter in name):
            raise ValidationError(_FORBIDDEN)
        return unicodedata.normalize("NFC", name)


class SixDigits(Text):
    """A one-time code or a PIN."""

    def __init__(self, **options: Any) -> None:
        super().__init__(most=6, validate=validate.Regexp(r"^[0-9]{6}(?!\n)$"), **options)


class StaffNumber(Text):
    """What somebody of the staff signs in with beside their secret."""

    def __init__(self, **options: Any) -> None:
        pattern = validate.Regexp(r"^[A-Za-z0-9-]{1,16}(?!\n)$")
        super().__init__(most=16, validate=pattern, **options)


class PaymentMethod(Text):
    """The provider's reference of a card. Card numbers never come here: its own page makes it."""

    def __init__(self, *, required: bool = True) -> None:
        error = "Give a payment method, pm_…"
        pattern = validate.Regexp(r"^pm_[A-Za-z0-9_]+(?!\n)$", error=error)
        description = "The provider's reference of the card, `pm_…`."
        super().__init__(
            required=required, most=255, validate=pattern, metadata={"description": description}
        )


class Schema(marshmallow.Schema):
    """The base of bodies and answers. Unknown fields of a body are refused."""

    class Meta:
        unknown = RAISE


class MoneyField(fields.Field[int]):
    """An amount in minor units with its currency: `{"amount": 1000, "currency": "TWD"}`.

    Dumps an integer; the currency is read from the same thing's attribute `currency`, or from
    the one that is named here.
    """

    def __init__(self, *, currency: str = "currency", **options: Any) -> None:
        super().__init__(dump_only=True, **options)
        self.currency = currency

    def _serialize(
        self,
        value: int | None,
        attr: str | None,  # noqa: ARG002  marshmallow's signature
        obj: Any,
        **_: Any,
    ) -> dict[str, Any] | None:
        if value is None:
            return None
        currency = utils.get_value(obj, self.currency)
        if not isinstance(currency, str):
            raise TypeError(f"{type(obj).__name__} has an amount and no {self.currency}")
        return {"amount": value, "currency": currency}


def _is_hidden(letter: str) -> bool:
    return letter in _BLANK_LETTERS or unicodedata.category(letter) in _HIDDEN


def refuse_unstorable(value: Any) -> None:
    """Refuse NUL and lone surrogates, which no column can hold, anywhere in a body.

    Raises:
        ValidationError: with the way to the field.
    """
    found = _unstorable(value, "")
    if found is not None:
        raise ValidationError({found: [_FORBIDDEN]})


def _unstorable(value: Any, way: str) -> str | None:
    if isinstance(value, str):
        return None if is_storable(value) else way
    inner: Any = ()
    if isinstance(value, dict):
        if not all(map(is_storable, value)):
            return way
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    steps = ((f"{way}.{name}" if way else str(name), part) for name, part in inner)
    return next((found for step, part in steps if (found := _unstorable(part, step))), None)


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can hold this text."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _as_list(validators: Any) -> list[Any]:
    if validators is None:
        return []
    return list(validators) if isinstance(validators, list | tuple) else [validators]
