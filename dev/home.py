"""`.jibei`, the closed folder in the checkout that keeps what `make up` must find again.

JIBEI_HOME names another folder, as tests and measurements do that want data of their own.
"""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from kernel.embedded import CannotStart
from kernel.embedded.folders import closed, write_closed

CHECKOUT = Path(__file__).resolve().parent.parent
HOME = Path(os.environ.get("JIBEI_HOME") or CHECKOUT / ".jibei").absolute()


@dataclass(frozen=True, slots=True)
class Secrets:
    """Made at the first start and kept: personal data is sealed under `secret_key`."""

    secret_key: str
    stripe_api_key: str
    stripe_webhook_secret: str


def kept_secrets() -> Secrets:
    """Raises: CannotStart: the file was changed by hand, or is missing beside the data."""
    path = HOME / "secrets.json"
    if not path.exists():
        if (HOME / "postgres" / "pgdata").exists():
            raise CannotStart(_unreadable(path))
        fresh = {
            "secret_key": secrets.token_hex(32),
            "stripe_api_key": f"sk_test_{secrets.token_hex(16)}",
            "stripe_webhook_secret": f"whsec_{secrets.token_hex(16)}",
        }
        write_closed(path, json.dumps(fresh, indent=2))
    try:
        return Secrets(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise CannotStart(_unreadable(path)) from error


@contextmanager
def only_one() -> Iterator[None]:
    """Let one `make up` run in this checkout.

    Raises:
        CannotStart: one runs already.
    """
    closed(HOME)
    with (HOME / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(_already()) from None
        try:
            yield
        finally:
            (HOME / "run.json").unlink(missing_ok=True)


def announce(*, url: str, environment: dict[str, str]) -> None:
    """Say to the tour and to tests what runs here; closed, since it holds the secrets."""
    run = {"url": url, "pid": os.getpid(), "environment": environment}
    write_closed(HOME / "run.json", json.dumps(run, indent=2))


def what_runs() -> dict[str, Any] | None:
    """What `announce` said, while that `make up` lives: its url, pid and environment."""
    try:
        with (HOME / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return _announced()
    return None  # what a killed one announced does not count


def _announced() -> dict[str, Any] | None:
    try:
        run: dict[str, Any] = json.loads((HOME / "run.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return run


def check_clock() -> None:
    """Raises: CannotStart: the file that says how far the clock runs ahead was changed by hand."""
    path = HOME / "clock"
    try:
        timedelta(seconds=float(path.read_text(encoding="ascii")))
    except FileNotFoundError:
        pass
    except (ValueError, OverflowError) as error:
        raise CannotStart(
            f"{path} is no number of seconds: put it back, or begin anew with `make reset`. "
            f"Without it the clock goes with the machine's, back before what has happened here."
        ) from error


def _unreadable(path: Path) -> str:
    return (
        f"{path} is not there or cannot be read: put it back, or begin anew with `make reset`, "
        f"which deletes the data of this checkout (nothing sealed under the old key can be opened)."
    )


def _already() -> str:
    run = _announced()
    if run is None:
        return "Jibei is just starting or stopping in this checkout: wait until it has."
    return (
        f"Jibei already runs in this checkout at {run['url']}: stop it first, with Ctrl-C where "
        f"it was started or with kill {run['pid']}."
    )
