"""The headers that every answer gets, whoever made it.

Put on at the very edge: through Flask's response objects they would cost a tenth of a request.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from kernel.config import Config

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_CONTENT = "Content-Security-Policy"
_CACHE = "Cache-Control"

_ALWAYS = [
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
]
_LOAD_NOTHING = (_CONTENT, "default-src 'none'; frame-ancestors 'none'")
_KEEP_NOTHING = (_CACHE, "no-store")
_STAY_ON_TLS = ("Strict-Transport-Security", "max-age=31536000")


def sealed(serve: "WSGIApplication", settings: Config) -> "WSGIApplication":
    """Put the headers on what an application answers; a page may say itself what it loads."""
    is_https = settings.public_origin.startswith("https://")
    always = [*_ALWAYS, _STAY_ON_TLS] if is_https else _ALWAYS

    def seal(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *failure: Any) -> Any:
            names = {name for name, _ in headers}
            headers.extend(always)
            if _CONTENT not in names:
                headers.append(_LOAD_NOTHING)
            if _CACHE not in names and environ["PATH_INFO"].startswith("/v1/"):
                headers.append(_KEEP_NOTHING)
            return start_response(status, headers, *failure)

        return serve(environ, cast("StartResponse", start))

    return seal
