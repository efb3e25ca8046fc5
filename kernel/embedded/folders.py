"""The closed folder of one server."""

import secrets
from pathlib import Path

from kernel.embedded.errors import in_sentences


def closed(folder: Path) -> Path:
    """Make `folder`, for its owner only, where it is not there yet.

    Raises:
        CannotStart: it cannot be made or used.
    """
    with in_sentences(folder):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        (folder / "probe").write_bytes(b"")
        (folder / "probe").unlink()
    return folder.resolve()


def write_closed(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    fresh.touch(mode=0o600, exist_ok=False)
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
