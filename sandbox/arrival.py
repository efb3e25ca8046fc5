"""A request as it arrives over HTTP, before it is understood."""

import json
from dataclasses import dataclass
from wsgiref.types import WSGIEnvironment

from sandbox.errors import StripeError
from sandbox.forms import Tree, parse_form

_MAX_BODY = 1_000_000
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
_FAULTS = "/v1/test_helpers/faults"


@dataclass(frozen=True)
class Arrival:
    """The parts of the WSGI environment that matter here."""

    environ: WSGIEnvironment

    @property
    def method(self) -> str:
        return str(self.environ["REQUEST_METHOD"])

    @property
    def path(self) -> str:
        """The path as sent; WSGI hands bytes over as if they were Latin-1."""
        raw = str(self.environ.get("PATH_INFO", "")).encode("latin-1")
        return raw.decode(errors="replace").rstrip("/")

    @property
    def authorization(self) -> str:
        return str(self.environ.get("HTTP_AUTHORIZATION", ""))

    @property
    def idempotency_key(self) -> str | None:
        """Only what changes something has one."""
        if self.method != "POST":
            return None
        return self.environ.get("HTTP_IDEMPOTENCY_KEY") or None

    @property
    def base_url(self) -> str:
        host = self.environ.get("HTTP_HOST") or "localhost"
        return f"{self.environ['wsgi.url_scheme']}://{host}"

    @property
    def query(self) -> str:
        return str(self.environ.get("QUERY_STRING", ""))

    def body(self) -> bytes:
        """The body as sent, or one byte more than is taken of it."""
        body: bytes = self.environ["wsgi.input"].read(_MAX_BODY + 1)
        return body

    def parameters(self) -> Tree:
        """Query and body as one tree.

        Raises:
            StripeError: too large, or not a form.
        """
        tree = parse_form(self.query)
        if self.method == "GET":
            return tree
        body = self.body()
        if len(body) > _MAX_BODY:
            raise StripeError("The request's body is too large.", status=413)
        if not body:
            return tree
        return tree | self._parse(body)

    def _parse(self, body: bytes) -> Tree:
        content_type = str(self.environ.get("CONTENT_TYPE", "")).partition(";")[0].strip()
        if content_type == _JSON and self.path == _FAULTS:
            return _parse_flat_json(body)
        if content_type not in {"", _FORM}:
            raise StripeError(f"Invalid request: the content type must be {_FORM}.")
        try:
            return parse_form(body.decode())
        except UnicodeDecodeError as error:
            raise StripeError("The request's body is not UTF-8.") from error


def _parse_flat_json(body: bytes) -> Tree:
    """`{"latency_ms": 50}`, for whoever sets a fault by hand."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise StripeError("The request's body is not JSON.") from error
    if not isinstance(given, dict):
        raise StripeError("The request's body is not a JSON object.")
    return {key: str(number) for key, number in given.items()}
