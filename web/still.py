"""Pages that say the same to everybody: no script, nothing loaded from elsewhere."""

from functools import cache
from pathlib import Path

from flask import Response

_MAY_LOAD = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action {form}; frame-ancestors 'none'"
)


def still_page(name: str, *, has_form: bool = False) -> Response:
    """A page of ours by its file's name. Whoever follows a link from it is not told where from.

    With `has_form` it has a button that sends to its own address.
    """
    response = Response(_text(name), content_type="text/html; charset=utf-8")
    form = "'self'" if has_form else "'none'"
    response.headers["Content-Security-Policy"] = _MAY_LOAD.format(form=form)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@cache
def _text(name: str) -> str:
    return Path(__file__).with_name("static").joinpath(name).read_text(encoding="utf-8")
