"""One frozen object from the environment. Start-up names everything that is missing, at once."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any, Literal

from environs import Env, EnvError
from marshmallow import ValidationError, validate

Mode = Literal["development", "production"]


class ConfigError(Exception):
    """The environment is not complete; the message lists every variable and what is wrong."""


@dataclass(frozen=True, slots=True)
class Config:
    """What a process must know before it starts. Secrets come from nowhere else."""

    mode: Mode
    database_url: str
    database_owner_url: str
    redis_url: str
    secret_key: bytes
    stripe_api_key: str
    stripe_api_base: str | None
    stripe_webhook_secrets: tuple[str, ...]
    terminal_api_base: str | None
    terminal_api_key: str | None
    charges_a_second: int
    port: int
    web_workers: int
    web_threads: int
    public_origin: str
    stream_origin: str
    stream_bind: str
    invoice_to: str | None
    message_port: str
    message_file: str | None
    database_pool_size: int
    alert_to: str | None
    seal_to: tuple[str, ...]
    seal_authorization: str | None
    smtp_url: str | None
    mail_from: str | None
    minimum_software_version: str | None
    approval_from_cups: int
    new_device_cups: int

    @property
    def is_development(self) -> bool:
        return self.mode == "development"


@cache
def config() -> Config:
    """Read the environment, once a process.

    Raises:
        ConfigError: variables are missing or malformed; all of them are named.
    """
    env = Env(eager=False)
    database_url = env.str("DATABASE_URL", validate=_postgres_url)
    read: dict[str, Any] = {
        "mode": env.str("JIBEI_MODE", "production", validate=_mode),
        "database_url": database_url,
        "database_owner_url": env.str(
            "DATABASE_OWNER_URL", None, validate=_unless_none(_postgres_url)
        ),
        "redis_url": env.str("REDIS_URL", validate=_redis_url),
        "secret_key": env.str("SECRET_KEY", validate=_secret),
        "stripe_api_key": env.str("STRIPE_API_KEY", validate=_stripe_key),
        "stripe_api_base": env.str("STRIPE_API_BASE", None, validate=_unless_none(_address_here)),
        "stripe_webhook_secrets": env.list("STRIPE_WEBHOOK_SECRET", validate=_some),
        "terminal_api_base": env.str("TERMINAL_API_BASE", None, validate=_unless_none(_reached())),
        "terminal_api_key": _terminal_key(env),
        "charges_a_second": env.int("CHARGES_A_SECOND", 80, validate=_some_charges),
        "port": env.int("PORT", 8000, validate=_port),
        "web_workers": env.int("WEB_WORKERS", 2, validate=_some_of_them),
        "web_threads": env.int("WEB_THREADS", 6, validate=_some_of_them),
        "public_origin": env.str("PUBLIC_ORIGIN", validate=_origin),
        "stream_origin": env.str("STREAM_ORIGIN", None, validate=_unless_none(_origin)),
        "stream_bind": env.str("STREAM_BIND", "127.0.0.1:8001", validate=_bound),
        "invoice_to": env.str("INVOICE_TO", None, validate=_unless_none(_invoices)),
        "message_port": _message_port(env),
        "message_file": env.str("MESSAGE_FILE", None),
        "database_pool_size": env.int("DATABASE_POOL_SIZE", 6, validate=_some_of_them),
        "alert_to": env.str("ALERT_TO", None, validate=_unless_none(_reachable())),
        "seal_to": env.list("SEAL_TO", [], validate=_places),
        "seal_authorization": env.str("SEAL_AUTHORIZATION", None),
        "smtp_url": env.str("SMTP_URL", None, validate=_unless_none(_smtp)),
        "mail_from": _mail_from(env),
        "minimum_software_version": env.str(
            "MINIMUM_SOFTWARE_VERSION", None, validate=_unless_none(_version)
        ),
        "approval_from_cups": env.int("APPROVAL_FROM_CUPS", 5, validate=_cups),
        "new_device_cups": env.int("NEW_DEVICE_CUPS", 0, validate=_cups),
    }
    if os.environ.get("JIBEI_MODE") != "development":
        env.str("CLOCK_FILE", "", validate=_absent)  # `kernel.clock` would follow it
    try:
        env.seal()
    except EnvError as problem:
        raise ConfigError(_sentences(problem)) from None
    read["database_owner_url"] = read["database_owner_url"] or read["database_url"]
    read["stream_origin"] = read["stream_origin"] or read["public_origin"]
    read["secret_key"] = bytes.fromhex(read["secret_key"])
    read["seal_to"] = tuple(read["seal_to"])
    read["stripe_webhook_secrets"] = tuple(read["stripe_webhook_secrets"])
    return Config(**read)


def _message_port(env: Env) -> str:
    """Development prints; production must say what sends, since its log is no place for codes."""
    if os.environ.get("JIBEI_MODE") == "development":
        return env.str("MESSAGE_PORT", "console", validate=_console_or_sender)
    return env.str("MESSAGE_PORT", validate=_sender)


def _reached() -> validate.Regexp:
    """Where the card terminals' provider is. Plain http is for development, on this machine."""
    return _address_here if os.environ.get("JIBEI_MODE") == "development" else _address


def _terminal_key(env: Env) -> str | None:
    """With the address of the card terminals' provider comes the key to it."""
    if os.environ.get("TERMINAL_API_BASE") is None:
        return env.str("TERMINAL_API_KEY", None)
    return env.str("TERMINAL_API_KEY", validate=_some_text)


def _mail_from(env: Env) -> str | None:
    """Who sends e-mail, wherever any is sent: most servers refuse a letter from nobody."""
    if os.environ.get("SMTP_URL") is None:
        return env.str("MAIL_FROM", None, validate=_unless_none(_from))
    return env.str("MAIL_FROM", validate=_from)


def _reachable() -> validate.Regexp:
    """Who can be told: a phone always, a mailbox through SMTP_URL; development prints."""
    has_mail = "SMTP_URL" in os.environ or os.environ.get("JIBEI_MODE") == "development"
    return _person if has_mail else _phone


def _sentences(problem: EnvError) -> str:
    messages = getattr(problem, "error_messages", {})
    lines = [f"  {name}: {' '.join(map(str, what))}" for name, what in sorted(messages.items())]
    return "\n".join(["These environment variables need your attention:", *lines])


def _is_there(named: str) -> None:
    """Look for the module of a `module:function`, without importing it itself."""
    module, _, function = named.partition(":")
    if not function or module == "file":
        return
    try:
        found = find_spec(module)
    except (ImportError, ValueError):
        found = None
    if found is None:
        raise ValidationError(f"there is no {named}: its module is not found")


def _unless_none(check: validate.Validator) -> Callable[[str | None], None]:
    def checked(given: str | None) -> None:
        if given is not None:
            check(given)

    return checked


def _places(given: list[str]) -> None:
    """Where the seal goes. Plain http is for development, where it stays on this machine."""
    check = _outside_here if os.environ.get("JIBEI_MODE") == "development" else _outside
    for place in given:
        check(place)


def _refusing(pattern: str, sentence: str) -> validate.Regexp:
    return validate.Regexp(pattern, error=sentence)


_mode = validate.OneOf(["development", "production"])
_postgres_url = _refusing(r"postgres(ql)?(\+psycopg)?://\S+$", "give postgresql://user@host/name")
_redis_url = _refusing(r"(rediss?|unix)://\S+$", "give redis://host:6379/0")
_secret = _refusing(r"[0-9a-fA-F]{64,}$", "give 32 or more random bytes: openssl rand -hex 32")
_stripe_key = _refusing(r"(sk|rk)_(test|live)_\S+$", "give a secret key of the provider, sk_…")
_origin = _refusing(r"https?://[^/\s]+$", "give the address that shoppers use, https://host")
_address = _refusing(r"https://[^/\s]+$", "give the provider's address, https://host")
_address_here = _refusing(r"https?://[^/\s]+$", "give the provider's address, https://host")
_some_text = _refusing(r"\S+$", "give the key, without spaces")
_absent = validate.Equal("", error="the clock moves in development only: take it out")
_sender = validate.And(
    _refusing(r"[\w.]+:\w+$", "name what sends text messages, as module:function"), _is_there
)
_console_or_sender = validate.And(
    _refusing(r"(console|[\w.]+:\w+)$", "give console or module:function"), _is_there
)
_person = _refusing(
    r"(\+[1-9]\d{6,14}|[^@\s]+@[^@\s]+)$", "give a phone, +886…, or an e-mail address"
)
_phone = _refusing(
    r"\+[1-9]\d{6,14}$", "give a phone, +886…; an e-mail address needs SMTP_URL as well"
)
_from = _refusing(
    r"([^<>@\r\n]*<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$",
    "give name@host, or Name <name@host>",
)
_PLACES = "give file:/path, mailto:name@host or https://host/folder, separated by commas"
_outside = _refusing(r"(file:/.+|mailto:[^@\s]+@[^@\s]+|https://\S+)$", _PLACES)
_outside_here = _refusing(r"(file:/.+|mailto:[^@\s]+@[^@\s]+|https?://\S+)$", _PLACES)
_smtp = _refusing(r"smtps?://\S+$", "give smtp://user:password@host:587")
_version = _refusing(r"\d{1,9}(\.\d{1,9}){0,3}$", "give a version of devices' software, as 2.1.0")
_invoices = validate.And(
    _refusing(
        r"(file:/.+|[\w.]+:\w+)$", "give file:/folder, or what sends invoices as module:function"
    ),
    _is_there,
)
_some_charges = validate.Range(
    min=1,
    max=10_000,
    error="give how often a second the provider may be asked for money, 1 or more",
)
_cups = validate.Range(min=0, max=1_000, error="give a number of cups, 0 for no such bound")
_port = validate.Range(min=1, max=65_535, error="give a port, 1 to 65535")
_some_of_them = validate.Range(min=1, max=1_000, error="give a number, 1 to 1000")
_bound = _refusing(
    r"([\w.-]+|\[[0-9a-fA-F:]+\]):(?!0)\d{1,5}$", "give where to listen, 127.0.0.1:8001"
)
_some = validate.Length(min=1, error="give one or more signing secrets, separated by commas")
