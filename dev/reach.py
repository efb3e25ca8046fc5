"""Whether servers that were given in the environment answer, in a sentence if they do not.

No sentence repeats an address, since an address holds a password.
"""

import base64
import urllib.error
import urllib.request
from collections.abc import Iterator

import psycopg
import redis as redis_client
from redis.backoff import NoBackoff
from redis.retry import Retry

_SECONDS = 5
_OLDEST_POSTGRES = 150_000
_STRIPE = "https://api.stripe.com"
_UNAUTHORIZED = 401
_NO_PROVIDER = {404, 405}
_NO_RETRY = Retry(NoBackoff(), 0)  # else a wrong password is tried for half a minute


def database(name: str, url: str) -> Iterator[str]:
    """Yield what is wrong with a PostgreSQL address."""
    if not url.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
        yield f"{name} is no PostgreSQL address: give postgresql://user:password@host:5432/name."
        return
    plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
    try:
        with psycopg.connect(plain, connect_timeout=_SECONDS) as connection:
            version = connection.info.server_version
    except psycopg.ProgrammingError:
        yield f"{name} cannot be read: give postgresql://user:password@host:5432/name."
    except psycopg.OperationalError as error:
        yield f"{name}: {_why_not(str(error))}. Correct it, or leave it out to use our own."
    else:
        if version < _OLDEST_POSTGRES:
            yield f"{name} is PostgreSQL {version // 10_000}: 15 or later is needed."


def redis(url: str) -> Iterator[str]:
    """Yield what is wrong with REDIS_URL."""
    try:
        with redis_client.Redis.from_url(
            url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS, retry=_NO_RETRY
        ) as client:
            client.ping()
    except ValueError:
        yield "REDIS_URL is no Redis address: give redis://:password@host:6379/0."
    except redis_client.AuthenticationError:
        yield "REDIS_URL: the server refuses this password. Correct it, or leave it out."
    except redis_client.RedisError:
        yield "REDIS_URL: no server answers there. Correct it, or leave it out to use our own."


def provider(key: str, *, base: str | None) -> Iterator[str]:
    """Yield what is wrong with STRIPE_API_KEY, asking the provider whether it knows the key."""
    if not key.startswith(("sk_test_", "rk_test_")):
        yield "STRIPE_API_KEY is no test key: development takes sk_test_… or rk_test_… only."
        return
    name = "STRIPE_API_BASE" if base else "STRIPE_API_KEY"
    basic = base64.b64encode(f"{key}:".encode()).decode()
    address = base or _STRIPE
    if not address.startswith(("http://", "https://")):
        yield "STRIPE_API_BASE is no address: give https://host."
        return
    request = urllib.request.Request(  # noqa: S310 - checked above
        f"{address}/v1/customers?limit=1", headers={"Authorization": f"Basic {basic}"}
    )
    try:
        urllib.request.urlopen(request, timeout=_SECONDS).close()  # noqa: S310 - checked above
    except urllib.error.HTTPError as error:
        if error.code == _UNAUTHORIZED:
            yield "STRIPE_API_KEY is not known to the provider: copy it from its dashboard."
        elif error.code in _NO_PROVIDER:
            yield f"{name}: what answers there does not speak as Stripe does. Correct the address."
    except OSError:
        yield f"{name}: the provider is out of reach. Look at the address and the network."


def _why_not(said: str) -> str:
    """The reason in our words: the server's and the library's may quote what was given."""
    if "authentication failed" in said or "no password supplied" in said:
        return "the server refuses this user or password"
    if "does not exist" in said:
        return "the server has no such database or user"
    return "no server can be reached there"
