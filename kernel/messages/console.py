"""What development has instead of a sender: it prints, and appends to MESSAGE_FILE.

From that file tests and the tour read codes.
"""

import json
import os
import sys

from kernel.config import config

_OWNER_ONLY = 0o600


def send(*, to: str, text: str, dedupe_key: str, subject: str | None = None) -> None:
    """Print a message, and append it to MESSAGE_FILE as a line of JSON."""
    shown = f"{subject}: {text}" if subject else text
    sys.stdout.write(f"message to {to}: {shown}\n")
    sys.stdout.flush()
    path = config().message_file
    if path:
        message = {"to": to, "text": text, "dedupe_key": dedupe_key}
        if subject:
            message["subject"] = subject
        _append(path, f"{json.dumps(message, ensure_ascii=False)}\n".encode())


def _append(path: str, line: bytes) -> None:
    """One write, so that lines of several workers never mix."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _OWNER_ONLY)
    try:
        os.write(file, line)
    finally:
        os.close(file)
