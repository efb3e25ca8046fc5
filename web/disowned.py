"""The page behind a notice's “not me”: with a button, since programs that read mail open links."""

from flask import Blueprint, Response

import redemption
from kernel import clock
from kernel.errors import NotFound
from kernel.transaction import again, transaction
from web.still import still_page

disowned_pages = Blueprint("disowned_pages", __name__)


@disowned_pages.get("/n/<token>")
def ask(token: str) -> Response:
    """Ask whether it was really somebody else. The same for every token."""
    del token
    return still_page("not_me.html", has_form=True)


@disowned_pages.post("/n/<token>")
def disown(token: str) -> Response:
    """End the member's codes. A second time changes nothing."""
    try:
        again(lambda: _disown(token))
    except NotFound:
        page = still_page("not_me_unknown.html")
        page.status_code = 404
        return page
    return still_page("not_me_done.html")


def _disown(token: str) -> None:
    with transaction():
        redemption.disown_by_link(token=token, now=clock.common())
