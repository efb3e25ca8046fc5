"""What can keep a server from starting, in sentences that say what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ADDRESS_TAKEN = ("Address already in use", "could not create any TCP/IP sockets")
_LAST_LINES = 8


class CannotStart(Exception):  # noqa: N818 - reads as what happened, and no caller handles it by kind
    """One sentence, fit for a terminal: what is wrong and what to do about it."""


def is_port_taken(log: str) -> bool:
    """Whether a server's last words say that somebody else listens on its port."""
    return any(words in log for words in _ADDRESS_TAKEN)


def no_space(folder: Path) -> CannotStart:
    return CannotStart(
        f"No space is left on the disk of {folder}: free some 300 MB there and start again."
    )


def why(*, server: str, folder: Path, log: str) -> CannotStart:
    """Turn the log of a server that did not start into a sentence."""
    if "No space left on device" in log:
        return no_space(folder)
    if "has wrong ownership" in log or "Permission denied" in log:
        return CannotStart(
            f"{server} may not use {folder}, which belongs to another user: "
            f"give it to the user who starts it, or start as that user."
        )
    if "could not open file" in log or "pg_control" in log or "invalid checkpoint" in log:
        return CannotStart(
            f"The data in {folder} is damaged: move that folder away (or delete it, if nothing "
            f"in it is needed) and start again, which makes a new one.\n{_tail(log)}"
        )
    return CannotStart(f"{server} did not start. Its last words:\n{_tail(log)}")


@contextmanager
def in_sentences(folder: Path) -> Iterator[None]:
    """Say it in a sentence when the file system is full, closed or read-only."""
    try:
        yield
    except FileExistsError as error:
        raise CannotStart(f"{folder} is a file where a folder is needed: move it away.") from error
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise no_space(folder) from error
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise CannotStart(
                f"{folder} may not be written: give it to the user who starts this, "
                f"or start as the user to whom it belongs."
            ) from error
        raise


def _tail(log: str) -> str:
    lines = [f"    {line}" for line in log.strip().splitlines()[-_LAST_LINES:]]
    return "\n".join(lines) or "    (none)"
