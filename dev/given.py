"""What the developer gives in the environment, and whether it is any good."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dev.home import CHECKOUT
from kernel.embedded import CannotStart, ports

FIRST_PORT = 8000
_PORTS_TRIED = 100
_SECRET_KEY = re.compile(r"[0-9a-fA-F]{64,}")


@dataclass(frozen=True, slots=True)
class Given:
    """Addresses to use instead of the embedded servers and the sandbox; None means: ours."""

    port: int
    database_url: str | None
    database_owner_url: str | None
    redis_url: str | None
    stripe_api_key: str | None
    stripe_api_base: str | None
    stripe_webhook_secret: str | None
    secret_key: str | None


def given(environment: Mapping[str, str]) -> Given:
    """Read and try everything that was given.

    Raises:
        CannotStart: a sentence for each thing that is missing, wrong or out of reach.
    """
    port, wrong = _port(environment.get("PORT", ""))
    taken = Given(
        port=port,
        database_url=environment.get("DATABASE_URL") or None,
        database_owner_url=environment.get("DATABASE_OWNER_URL") or None,
        redis_url=environment.get("REDIS_URL") or None,
        stripe_api_key=environment.get("STRIPE_API_KEY") or None,
        stripe_api_base=environment.get("STRIPE_API_BASE") or None,
        stripe_webhook_secret=environment.get("STRIPE_WEBHOOK_SECRET") or None,
        secret_key=environment.get("SECRET_KEY") or None,
    )
    sentences = [
        *wrong,
        *_incomplete(taken),
        *_refused_by_the_application(environment),
        *_out_of_reach(taken),
    ]
    if sentences:
        raise CannotStart("\n".join(["The environment needs attention:", *_bulleted(sentences)]))
    return taken


def _port(text: str) -> tuple[int, list[str]]:
    if text:
        if not (text.isascii() and text.isdigit() and 0 < int(text) <= ports.HIGHEST):
            return 0, [f"PORT={text} is no port: give a number from 1 to {ports.HIGHEST}."]
        if ports.is_forbidden(int(text)):
            return 0, [f"PORT={text} is for root alone on this machine: give one from 1024 on."]
        if not ports.reserve(int(text)):
            return 0, [f"PORT={text} is taken by another program: stop that or give another one."]
        return int(text), []
    for port in range(FIRST_PORT, FIRST_PORT + _PORTS_TRIED):
        if ports.reserve(port):
            return port, []
    last = FIRST_PORT + _PORTS_TRIED - 1
    return 0, [f"Every port from {FIRST_PORT} to {last} is taken: give a free one as PORT."]


def _incomplete(taken: Given) -> Iterator[str]:
    if taken.database_owner_url is not None and taken.database_url is None:
        yield "DATABASE_OWNER_URL is given without DATABASE_URL: give both, or neither."
    if taken.secret_key is not None and not _SECRET_KEY.fullmatch(taken.secret_key):
        yield "SECRET_KEY is not 32 or more bytes in hex: openssl rand -hex 32 makes one."
    if taken.stripe_api_key is not None and not taken.stripe_webhook_secret:
        yield (
            "STRIPE_API_KEY is given without STRIPE_WEBHOOK_SECRET: give the signing secret of "
            "the webhook endpoint (whsec_…) too."
        )
    if taken.stripe_api_key is None and (taken.stripe_api_base or taken.stripe_webhook_secret):
        yield (
            "STRIPE_API_BASE or STRIPE_WEBHOOK_SECRET is given without STRIPE_API_KEY: give the "
            "key too, or neither, which starts the sandbox provider."
        )


# What is passed on to the processes as it was given: the rest is above, or ours.
_PASSED_ON = (
    *("ALERT_TO", "APPROVAL_FROM_CUPS", "CHARGES_A_SECOND", "MAIL_FROM", "MESSAGE_PORT"),
    *("MINIMUM_SOFTWARE_VERSION", "NEW_DEVICE_CUPS", "SEAL_AUTHORIZATION", "SEAL_TO", "SMTP_URL"),
)
_BESIDE = {
    "JIBEI_MODE": "development",
    "DATABASE_URL": "postgresql://host/name",
    "REDIS_URL": "redis://host",
    "SECRET_KEY": "0" * 64,
    "STRIPE_API_KEY": "sk_test_1",
    "STRIPE_WEBHOOK_SECRET": "whsec_1",
    "PUBLIC_ORIGIN": "http://host",
}
_ASK = """
from kernel.config import ConfigError, config
try:
    config()
except ConfigError as problem:
    print(problem)
"""


def _refused_by_the_application(environment: Mapping[str, str]) -> Iterator[str]:
    """What each process would say of the settings, in the same words, before anything starts."""
    passed_on = {name: environment[name] for name in _PASSED_ON if name in environment}
    if not passed_on:
        return
    said = subprocess.run(  # a process, since what reads settings weighs 15 MB
        [sys.executable, "-c", _ASK],
        cwd=CHECKOUT,
        env=_BESIDE | passed_on | {"PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    ).stdout
    for line in said.splitlines()[1:]:
        yield f"{line.strip().rstrip('.')}."


def _out_of_reach(taken: Given) -> Iterator[str]:
    if not (taken.database_url or taken.redis_url or taken.stripe_api_key):
        return
    from dev import reach  # noqa: PLC0415 - its clients weigh 40 MB, and are rarely needed

    if taken.database_url is not None:
        yield from reach.database("DATABASE_URL", taken.database_url)
    if taken.database_owner_url is not None:
        yield from reach.database("DATABASE_OWNER_URL", taken.database_owner_url)
    if taken.redis_url is not None:
        yield from reach.redis(taken.redis_url)
    if taken.stripe_api_key is not None:
        yield from reach.provider(taken.stripe_api_key, base=taken.stripe_api_base)


def _bulleted(sentences: list[str]) -> list[str]:
    return [f"  - {sentence}" for sentence in sentences]
