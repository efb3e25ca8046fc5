"""In which form a table goes out: the caller chooses, by `?format=` or by the header `Accept`."""

from dataclasses import dataclass

from flask import Request
from marshmallow import ValidationError

JSON = "application/json"
CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

TABLE = (JSON, CSV, XLSX)


@dataclass(frozen=True, slots=True)
class Format:
    """A form: its name, which is also how its files end, and its media type."""

    name: str
    media_type: str
    content_type: str


FORMATS = {
    form.name: form
    for form in (
        Format("json", JSON, JSON),
        Format("csv", CSV, f"{CSV}; charset=utf-8"),
        Format("xlsx", XLSX, XLSX),
    )
}
_BY_MEDIA_TYPE = {form.media_type: form for form in FORMATS.values()}

FORMAT_PARAMETER = {
    "name": "format",
    "description": "The form of the answer; without it, what `Accept` asks for, else JSON.",
    "schema": {"type": "string", "enum": list(FORMATS)},
}


def format_asked(sent: Request, named: str | None) -> Format:
    """Answer the form that `?format=` names, else the one that `Accept` likes best, else JSON.

    Raises:
        ValidationError: there is no such form.
    """
    if named is None:
        liked = sent.accept_mimetypes.best_match(TABLE, default=JSON)
        return _BY_MEDIA_TYPE[liked or JSON]
    if named not in FORMATS:
        raise ValidationError({"format": [f"Must be one of: {', '.join(FORMATS)}."]})
    return FORMATS[named]
