"""HTTP as apps, tills and desks speak it: a bearer token, a key for every POST, problems."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from dev.tour.story import Off

_SECONDS = 30.0
_REFUSED = 400


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a document, or the bytes of a picture."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    document: Any

    @property
    def is_refusal(self) -> bool:
        return self.status >= _REFUSED

    @property
    def is_replayed(self) -> bool:
        return self.headers.get("Idempotency-Replayed") == "true"


class Signs(Protocol):
    """A device's key, and the id of the device."""

    def signed(
        self,
        method: str,
        address: str,
        *,
        authorization: str,
        key: str | None = None,
        body: bytes = b"",
    ) -> dict[str, str]:
        """The headers that sign a request: `address` is path and query, `key` its own key."""


class Api:
    """Jibei over HTTP, as somebody; what a device sends is signed by its key."""

    def __init__(
        self,
        http: httpx.Client,
        *,
        token: str | None = None,
        device_key: Signs | None = None,
    ) -> None:
        self._http = http
        self._who = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._device_key = device_key

    def signed_in(self, token: str, *, device_key: Signs | None = None) -> "Api":
        """The same interface, as whoever this token belongs to; a device goes on to sign."""
        return Api(self._http, token=token, device_key=device_key or self._device_key)

    def get(self, path: str, **query: str) -> Any:
        """Read a document.

        Raises:
            Off: it was refused.
        """
        return _accepted(self.send("GET", path, query=query)).document

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Have something done, under a key of its own.

        Raises:
            Off: it was refused.
        """
        return _accepted(self.send("POST", path, body)).document

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        """Raises: Off: it was refused."""
        return _accepted(self.send("PUT", path, body)).document

    def delete(self, path: str) -> Any:
        """Raises: Off: it was refused."""
        return _accepted(self.send("DELETE", path)).document

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        key: str | None = None,
        language: str = "en",
    ) -> Answer:
        """Send a request, answered or refused."""
        headers = {"Accept-Language": language, **self._who}
        if method == "POST":
            headers["Idempotency-Key"] = key or new_key()
        content = None if body is None else json.dumps(body).encode()
        if content is not None:
            headers["Content-Type"] = "application/json"
        asked = self._http.build_request(
            method, path, content=content, params=query, headers=headers
        )
        if self._device_key is not None:
            asked.headers.update(_signature(self._device_key, asked, content or b""))
        return _answer(self._http.send(asked))

    def everything(self, path: str, **query: str) -> list[Any]:
        """Read a list to its end, page by page."""
        page = self.get(path, limit="200", **query)
        items = list(page["items"])
        while page["next_cursor"]:
            page = self.get(path, limit="200", cursor=page["next_cursor"], **query)
            items += page["items"]
        return items


class Provider:
    """The sandbox provider, as its own clients call it: forms in, JSON out."""

    def __init__(self, http: httpx.Client, *, key: str) -> None:
        self._http = http
        self._who = {"Authorization": f"Bearer {key}"}

    def get(self, path: str, **query: str | int) -> Any:
        """Raises: Off: it was refused."""
        return _accepted(_answer(self._http.get(path, params=query, headers=self._who))).document

    def post(self, path: str, **form: str) -> Any:
        """Raises: Off: it was refused."""
        return _accepted(_answer(self._http.post(path, data=form, headers=self._who))).document


def connection(url: str) -> httpx.Client:
    """Connections to one address; close them in the end."""
    return httpx.Client(base_url=url, timeout=_SECONDS)


def new_key() -> str:
    """An idempotency key: as good as unique."""
    return secrets.token_urlsafe(16)


def _signature(device_key: Signs, asked: httpx.Request, body: bytes) -> dict[str, str]:
    return device_key.signed(
        asked.method,
        asked.url.raw_path.decode("ascii"),
        authorization=asked.headers["Authorization"],
        key=asked.headers.get("Idempotency-Key"),
        body=body,
    )


def _answer(response: httpx.Response) -> Answer:
    kind = response.headers.get("Content-Type", "")
    document = response.json() if "json" in kind else None
    return Answer(response.status_code, response.headers, response.content, document)


def _accepted(answer: Answer) -> Answer:
    if answer.is_refusal:
        raise Off(f"refused with {answer.status}: {answer.document}")
    return answer
