"""Making the data folder of a PostgreSQL server: `initdb`, then roles and the database.

It is made under another name and renamed when it is complete, so a folder by the right name is
never half made, whenever the making was cut short.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from kernel.embedded.binaries import PostgresPrograms
from kernel.embedded.child import Identity, leashed
from kernel.embedded.errors import CannotStart, no_space, why
from kernel.embedded.folders import write_closed
from kernel.embedded.identity import give

ROLES = ("postgres", "jibei_owner", "jibei_app", "jibei_finance")
DATABASE = "jibei"

_PASSWORDS = "jibei-passwords.json"
_BYTES_NEEDED = 120 * 1024 * 1024
_BUILTIN_LOCALES_SINCE = 17

# What every new database gets: what `jibei_owner` will make is for the app to change and for
# finance to read. Migrations take away what is to be append-only.
_TEMPLATE = """\
ALTER ROLE postgres PASSWORD '{postgres}'
CREATE ROLE jibei_owner LOGIN PASSWORD '{jibei_owner}'
CREATE ROLE jibei_app LOGIN PASSWORD '{jibei_app}'
CREATE ROLE jibei_finance LOGIN PASSWORD '{jibei_finance}'
ALTER DEFAULT PRIVILEGES FOR ROLE jibei_owner GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO jibei_app
ALTER DEFAULT PRIVILEGES FOR ROLE jibei_owner GRANT USAGE, SELECT ON SEQUENCES TO jibei_app
ALTER DEFAULT PRIVILEGES FOR ROLE jibei_owner GRANT SELECT ON TABLES TO jibei_finance
CREATE DATABASE jibei OWNER jibei_owner
REVOKE ALL ON DATABASE jibei FROM PUBLIC
GRANT CONNECT ON DATABASE jibei TO jibei_app, jibei_finance
REVOKE ALL ON DATABASE postgres FROM PUBLIC
"""  # noqa: E501 - single-user mode ends a statement at the end of its line

_WHO_MAY_CONNECT = "host all all 127.0.0.1/32 scram-sha-256\n"


def cluster(
    folder: Path, *, programs: PostgresPrograms, identity: Identity, lock: int
) -> tuple[Path, Mapping[str, str]]:
    """The data folder inside `folder`, made if it is not there, and each role's password.

    Raises:
        CannotStart: it cannot be made, or another PostgreSQL made it.
    """
    data = folder / "pgdata"
    if data.exists() and not (data / _PASSWORDS).is_file():
        _set_aside(data)
    if not data.exists():
        _make(data, _Making(programs, identity, lock))
    _check_version(data, programs=programs)
    give(data, to=identity)
    return data, json.loads((data / _PASSWORDS).read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class _Making:
    """Whose programs run as whom. They inherit `lock`, so that killed ones are waited for."""

    programs: PostgresPrograms
    identity: Identity
    lock: int


def _make(data: Path, how: _Making) -> None:
    making = data.with_name("pgdata.making")
    if making.exists():
        _say(f"{making} was left half made; it holds nothing yet and is made anew.")
        shutil.rmtree(making)
    if shutil.disk_usage(data.parent).free < _BYTES_NEEDED:
        raise no_space(data.parent)
    making.mkdir(mode=0o700)
    give(making, to=how.identity)
    passwords = {role: secrets.token_urlsafe(24) for role in ROLES}
    _run(_initdb(making, how.programs), how, folder=making)
    single = [str(how.programs.folder / "postgres"), "--single", "-D", str(making), "template1"]
    said = _run(single, how, folder=making, statements=_TEMPLATE.format(**passwords))
    if "ERROR" in said or "FATAL" in said:
        raise why(server="PostgreSQL", folder=making, log=said)
    (making / "pg_hba.conf").write_text(_WHO_MAY_CONNECT, encoding="ascii")
    write_closed(making / _PASSWORDS, json.dumps(passwords))
    give(making, to=how.identity)
    making.rename(data)


def _initdb(making: Path, programs: PostgresPrograms) -> list[str]:
    if programs.version >= _BUILTIN_LOCALES_SINCE:
        locale = ["--locale-provider=builtin", "--locale=C.UTF-8"]
    else:
        locale = ["--locale=C.UTF-8"]
    # nobody can connect until the passwords are set and pg_hba.conf is ours
    command = [str(programs.folder / "initdb"), "-D", str(making), "-U", "postgres"]
    return [*command, "-A", "reject", "-E", "UTF8", *locale]


def _run(command: list[str], how: _Making, *, folder: Path, statements: str = "") -> str:
    done = subprocess.run(  # noqa: S603 - our own command
        leashed(command, dies_by=signal.SIGKILL, identity=how.identity),
        input=statements,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=plain_environment(),
        pass_fds=(how.lock,),
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise why(server="PostgreSQL", folder=folder, log=done.stdout)
    return done.stdout


def plain_environment() -> dict[str, str]:
    """The environment without what would change where PostgreSQL connects or how it speaks."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C", "LANGUAGE": "C", "TZ": "UTC"}


def _set_aside(data: Path) -> None:
    """Keep what was not made by us, or is not whole, out of the way; it may hold something."""
    number = next(n for n in count(1) if not data.with_name(f"pgdata.set-aside-{n}").exists())
    aside = data.rename(data.with_name(f"pgdata.set-aside-{number}"))
    _say(f"{data} is incomplete. It was moved to {aside.name}, and a new one is made.")


def _check_version(data: Path, *, programs: PostgresPrograms) -> None:
    try:
        made_by = (data / "PG_VERSION").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise why(server="PostgreSQL", folder=data, log="could not open file PG_VERSION") from None
    if made_by != str(programs.version):
        raise CannotStart(
            f"{data} was made by PostgreSQL {made_by}, but PostgreSQL {programs.version} is "
            f"installed: install {made_by}, or move the folder away to begin with a new one."
        )


def _say(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")
