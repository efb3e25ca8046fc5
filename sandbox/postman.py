"""One webhook on its way: signed and posted, once or as several copies at the same time."""

import hashlib
import hmac
import http.client
import logging
import threading
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from kernel import clock

_TIMEOUT_SECONDS = 10

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Letter:
    """What is to be sent where; without an address it cannot be delivered."""

    url: str
    secret: str
    payload: str


def sign(payload: str, *, secret: str, timestamp: int) -> str:
    """The `Stripe-Signature` header of a payload."""
    signed = f"{timestamp}.{payload}".encode()
    return f"t={timestamp},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def send(letter: Letter, *, copies: int = 1) -> bool:
    """Whether the endpoint took every copy; more than one travel over parallel connections."""
    if copies == 1:
        return _is_taken(letter)
    taken: list[bool] = []
    couriers = [
        threading.Thread(target=lambda: taken.append(_is_taken(letter))) for _ in range(copies)
    ]
    for courier in couriers:
        courier.start()
    for courier in couriers:
        courier.join()
    return all(taken)


def _is_taken(letter: Letter) -> bool:
    """Redirects are not followed, as Stripe does not."""
    if not letter.url:
        return False
    try:
        return 200 <= _post(letter) < 300  # noqa: PLR2004  the 2xx family
    except (OSError, http.client.HTTPException, ValueError) as error:
        _log.info("a webhook was not delivered: %s", type(error).__name__)
        return False


def _post(letter: Letter) -> int:
    address = urlsplit(letter.url)
    connection = _connect(address)
    header = sign(letter.payload, secret=letter.secret, timestamp=int(clock.now().timestamp()))
    try:
        connection.request(
            "POST",
            (address.path or "/") + (f"?{address.query}" if address.query else ""),
            body=letter.payload.encode(),
            headers={
                "Content-Type": "application/json; charset=utf-8",
                "Stripe-Signature": header,
                "User-Agent": "Stripe/1.0 (sandbox)",
            },
        )
        return connection.getresponse().status
    finally:
        connection.close()


def _connect(address: SplitResult) -> http.client.HTTPConnection:
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    return kind(address.hostname or "", address.port, timeout=_TIMEOUT_SECONDS)
