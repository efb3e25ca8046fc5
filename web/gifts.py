"""The page behind a gift's link, for whoever opens it without the chain's app."""

from functools import cache
from pathlib import Path

from flask import Blueprint, Response

gift_pages = Blueprint("gift_pages", __name__)

_MAY_LOAD = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@gift_pages.get("/g/<token>")
def page(token: str) -> Response:
    """Say what to do with the link. The same for every token, so it tells nothing about one."""
    del token
    response = Response(_text(), content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _MAY_LOAD
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@cache
def _text() -> str:
    return Path(__file__).with_name("static").joinpath("gift.html").read_text(encoding="utf-8")
