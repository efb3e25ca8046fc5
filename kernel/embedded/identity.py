"""As whom PostgreSQL runs: it refuses to be root, for good reasons that development has not."""

import os
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path

from kernel.embedded.child import Identity, leashed
from kernel.embedded.errors import CannotStart

_NOBODY = 65534


@cache
def for_postgres() -> Identity:
    """The identity in which PostgreSQL will run here.

    Raises:
        CannotStart: this is root, and the machine lets it be nothing else.
    """
    if os.geteuid() != 0 or sys.platform != "linux":
        return Identity.SELF
    for identity in (Identity.NAMESPACE, Identity.NOBODY):
        if _is_possible(identity):
            return identity
    raise CannotStart(
        "PostgreSQL does not run as root, and this machine allows neither user namespaces nor "
        "a change of user: start as an ordinary user, or set DATABASE_URL to a server elsewhere."
    )


def give(folder: Path, *, to: Identity) -> None:
    """Make `folder` and all in it belong to the user whom the server will see as itself."""
    user = _NOBODY if to is Identity.NOBODY else os.geteuid()
    if folder.stat().st_uid == user:
        return
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent) / name, user, -1, follow_symlinks=False)
    os.chown(folder, user, -1)  # last, so that half a change is seen and done again


def _is_possible(identity: Identity) -> bool:
    command = leashed(["true"], dies_by=signal.SIGKILL, identity=identity)
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603 - ours
