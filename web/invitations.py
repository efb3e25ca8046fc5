"""The page behind an invitation to share a plan, for whoever opens it without the chain's app."""

from flask import Blueprint, Response

from web.still import still_page

invitation_pages = Blueprint("invitation_pages", __name__)


@invitation_pages.get("/j/<token>")
def page(token: str) -> Response:
    """Say what to do with the link. The same for every token, so it tells nothing about one."""
    del token
    return still_page("invitation.html")
