"""The message port: how a text reaches a person, by phone or by e-mail.

A sender to phones is one file with one function of `Sender`'s signature, named in the environment
as MESSAGE_PORT=module:function. E-mail goes through the server that SMTP_URL names. Development
has a console, which sends nothing: it prints what would go to phones, and without SMTP_URL what
would go to mailboxes.
"""

import importlib
from functools import cache
from typing import Protocol

from kernel.config import ConfigError, config
from kernel.messages import console
from kernel.messages.errors import NoMailbox, NoMailServer, NotSent

__all__ = ["NoMailServer", "NoMailbox", "NotSent", "Sender", "has_mail", "send", "sender"]


class Sender(Protocol):
    """What MESSAGE_PORT names: it sends texts to phones."""

    def __call__(self, *, to: str, text: str, dedupe_key: str) -> None:
        """Send a text; raise to have it tried again with the same `dedupe_key`.

        Of what it raises only the type is kept, unless it is `NotSent`.
        """


def send(*, to: str, text: str, dedupe_key: str, subject: str | None = None) -> None:
    """Send a text to a phone (E.164) or an e-mail address; only a mailbox shows the subject.

    May be called again with the same `dedupe_key` after a crash; a sender that can tell, sends
    once, and a letter has the same Message-ID. Never inside a transaction: it talks to the outside.

    Raises:
        NoMailbox: there is no use in trying this e-mail address again.
        NotSent: it was not; the cause is told without its words, which may quote the address.
    """
    try:
        if "@" in to:
            _post(to=to, text=text, dedupe_key=dedupe_key, subject=subject)
        else:
            sender()(to=to, text=text, dedupe_key=dedupe_key)
    except (NotSent, ConfigError):
        raise
    except Exception as problem:  # noqa: BLE001  senders are strangers
        raise NotSent(_cause(problem)) from None


def has_mail() -> bool:
    """Whether e-mail can be sent at all: an installation may do with phones."""
    return config().smtp_url is not None or config().is_development


@cache
def sender() -> Sender:
    """The configured sender to phones; start-up asks for it, so that a wrong name is found there.

    Raises:
        ConfigError: MESSAGE_PORT names nothing that can be called.
    """
    name = config().message_port
    if name == "console":
        return console.send
    module, _, function = name.partition(":")
    try:
        found: Sender = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as problem:
        raise ConfigError(
            "These environment variables need your attention:\n"
            f"  MESSAGE_PORT: there is no {name} to send text messages with ({problem})"
        ) from problem
    return found


def _post(*, to: str, text: str, dedupe_key: str, subject: str | None) -> None:
    # Where it is used: it brings SMTP and TLS along, which web processes never need.
    from kernel.messages import mail  # noqa: PLC0415

    prints = config().is_development and config().smtp_url is None
    write = console.send if prints else mail.send
    write(to=to, text=text, dedupe_key=dedupe_key, subject=subject)


def _cause(problem: Exception) -> str:
    """The type of a problem, and the code that a mail server answered."""
    code = getattr(problem, "smtp_code", None)
    kind = type(problem).__name__
    return f"{kind} {code}" if isinstance(code, int) else kind
