"""The message port: how a text reaches a phone.

A real sender is one file with one function of `send`'s signature, named in the environment as
MESSAGE_PORT=module:function. Development has `console`, which sends nothing: it prints, and
appends to MESSAGE_FILE, from where tests and the tour read codes.
"""

import importlib
import json
import os
import sys
from functools import cache
from typing import Protocol

from kernel.config import ConfigError, config

_OWNER_ONLY = 0o600


class Sender(Protocol):
    """What MESSAGE_PORT names."""

    def __call__(self, *, to: str, text: str, dedupe_key: str) -> None:
        """Send a text; raise to have it tried again with the same `dedupe_key`."""


def send(*, to: str, text: str, dedupe_key: str) -> None:
    """Send a text to a phone (E.164).

    May be called again with the same `dedupe_key` after a crash; a sender that can tell, sends
    once. Never inside a transaction: it talks to the outside.
    """
    sender()(to=to, text=text, dedupe_key=dedupe_key)


@cache
def sender() -> Sender:
    """The configured sender; start-up asks for it, so that a wrong name is found there.

    Raises:
        ConfigError: MESSAGE_PORT names nothing that can be called.
    """
    name = config().message_port
    if name == "console":
        return _print
    module, _, function = name.partition(":")
    try:
        found: Sender = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as problem:
        raise ConfigError(
            "These environment variables need your attention:\n"
            f"  MESSAGE_PORT: there is no {name} to send text messages with ({problem})"
        ) from problem
    return found


def _print(*, to: str, text: str, dedupe_key: str) -> None:
    sys.stdout.write(f"message to {to}: {text}\n")
    sys.stdout.flush()
    path = config().message_file
    if path:
        line = json.dumps({"to": to, "text": text, "dedupe_key": dedupe_key}, ensure_ascii=False)
        _append(path, f"{line}\n".encode())


def _append(path: str, line: bytes) -> None:
    """One write, so that lines of several workers never mix."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _OWNER_ONLY)
    try:
        os.write(file, line)
    finally:
        os.close(file)
