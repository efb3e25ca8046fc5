"""JSON as RFC 8259 means it, in UTF-8, each name once; nothing that readers disagree about."""

import json
import math
from datetime import date, datetime
from typing import Any, NoReturn
from uuid import UUID

from api.fields import refuse_unstorable
from api.refusals import MalformedJson

DEEPEST = 32


def parse(raw: bytes) -> Any:
    """Read a body.

    Raises:
        MalformedJson: broken, empty, nested too deep, not UTF-8, NaN, numbers out of bounds, or
            a name given twice in one object.
        ValidationError: text that no column can hold.
    """
    try:
        text = raw.decode()
        value = _decoder.decode(text)
    except (ValueError, RecursionError) as problem:
        raise MalformedJson from problem
    if text.count("[") + text.count("{") > DEEPEST and _is_too_deep(value):
        raise MalformedJson
    if "\\u" in text:  # only an escape can spell NUL or half a surrogate pair
        refuse_unstorable(value)
    return value


def write(value: Any) -> bytes:
    """Write an answer, compact, in UTF-8."""
    return _encoder.encode(value).encode(errors="replace")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is out of bounds")
    return number


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [part for whole in level for part in _parts(whole)]
        if not level:
            return False
    return True


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _plain(value: Any) -> str:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not JSON")


_decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_finite)
_encoder = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain
)
