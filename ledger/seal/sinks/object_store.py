"""`https://host/folder`: an object a day, written once (`If-None-Match: *`) and never over another.

The folder's address may carry a query, which is repeated for each object (a shared signature);
SEAL_AUTHORIZATION is sent as the Authorization header where there is one.
"""

import http.client
from http import HTTPStatus
from urllib.parse import SplitResult, urlsplit

from kernel.config import config
from ledger.seal.head import Head

_PATIENCE_S = 10.0


class NotKept(Exception):  # noqa: N818  names the state
    """The store did not keep the head, or keeps another one of that day; the message says which."""


def keep(place: str, head: Head) -> None:
    """Put the head's line there, unless it is there already.

    Raises:
        NotKept: the store refuses it, or holds another head of that day.
    """
    url = urlsplit(place)
    body = f"{head.line()}\n".encode()
    target = f"{url.path.rstrip('/')}/{head.on_date}.json" + (f"?{url.query}" if url.query else "")
    status, _ = _ask(url, "PUT", target, body)
    if status in (HTTPStatus.PRECONDITION_FAILED, HTTPStatus.CONFLICT):
        status, there = _ask(url, "GET", target)
        if status == HTTPStatus.OK and there != body:
            raise NotKept("it keeps another head of that day")
    if status not in (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT):
        raise NotKept(f"it answered {status}")


def _ask(
    url: SplitResult, method: str, target: str, body: bytes | None = None
) -> tuple[int, bytes]:
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=_PATIENCE_S)
    try:
        connection.request(method, target, body, _headers(body))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _headers(body: bytes | None) -> dict[str, str]:
    headers = {"x-ms-blob-type": "BlockBlob"}  # one large provider asks for it, others pass it over
    if body is not None:
        headers |= {"If-None-Match": "*", "Content-Type": "application/json"}
    authorization = config().seal_authorization
    return {**headers, "Authorization": authorization} if authorization else headers
