"""`file:/path`: a line a day at the end of a file, on a disk that Jibei may only append to."""

import os

from ledger.seal.head import Head

_OWNER_WRITES = 0o644


def keep(place: str, head: Head) -> None:
    """Append the head's line, and have it on the disk before this returns."""
    path = place.removeprefix("file:")
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _OWNER_WRITES)
    try:
        os.write(file, f"{head.line()}\n".encode())
        os.fsync(file)
    finally:
        os.close(file)
