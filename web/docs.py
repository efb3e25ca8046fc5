"""The interface's documents, to read and try in a browser; nothing is loaded from elsewhere."""

from flask import Blueprint, Response

docs = Blueprint("docs", __name__, static_folder="static", static_url_path="/docs/static")

# Only this page: swagger-ui sets styles from its script and draws icons from data: addresses.
_MAY_LOAD = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@docs.get("/docs")
def page() -> Response:
    """Show the documents of the interface."""
    response = docs.send_static_file("docs.html")
    response.headers["Content-Security-Policy"] = _MAY_LOAD
    return response
