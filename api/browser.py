"""Members' sessions in a browser: the cookie, and what keeps foreign pages from using it."""

import hmac
from base64 import urlsafe_b64encode
from datetime import UTC, datetime

from flask import Response, g, request

from api.refusals import CrossSite
from kernel import secrets
from kernel.config import config

COOKIE = "__Host-jibei"
CSRF_HEADER = "X-CSRF-Token"

_SAFE = frozenset({"GET", "HEAD"})
_LONG_AGO = datetime.fromtimestamp(0, UTC)
_REFUSED = 400


def keep_session(token: str, *, ends_at: datetime) -> None:
    """Have this request's answer, if it is a good one, set the session cookie until `ends_at`."""
    g.session_cookie = (token, ends_at)


def forget_session() -> None:
    """Have this request's answer, if it is a good one, delete the session cookie."""
    g.session_cookie = ("", _LONG_AGO)


def set_cookie(response: Response) -> None:
    """Do what `keep_session` or `forget_session` was asked for."""
    asked = g.pop("session_cookie", None)
    if asked is None or not response.status_code < _REFUSED:
        return
    token, ends_at = asked
    response.set_cookie(
        COOKIE, token, expires=ends_at, path="/", secure=True, httponly=True, samesite="Lax"
    )


def csrf_token(session_token: str) -> str:
    """Answer what the page of a session sends as X-CSRF-Token; a page elsewhere cannot know."""
    return urlsafe_b64encode(secrets.mac("csrf", session_token.encode())).rstrip(b"=").decode()


def session_token() -> str | None:
    """Answer the token in the cookie, if there is one."""
    return request.cookies.get(COOKIE)


def refuse_cross_site(session_token: str | None) -> None:
    """Refuse an unsafe request of a cookie session that our own page did not send.

    Raises:
        CrossSite: foreign or missing Origin, or not the session's CSRF token.
    """
    if session_token is None or request.method in _SAFE:
        return
    sent = request.headers.get(CSRF_HEADER, "")
    is_ours = request.headers.get("Origin") == config().public_origin
    expected = csrf_token(session_token)
    if not is_ours or not hmac.compare_digest(sent.encode(), expected.encode()):
        raise CrossSite
