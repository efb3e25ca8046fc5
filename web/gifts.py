"""The page behind a gift's link, for whoever opens it without the chain's app."""

from flask import Blueprint, Response

from web.still import still_page

gift_pages = Blueprint("gift_pages", __name__)


@gift_pages.get("/g/<token>")
def page(token: str) -> Response:
    """Say what to do with the link. The same for every token, so it tells nothing about one."""
    del token
    return still_page("gift.html")
