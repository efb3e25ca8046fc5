"""Run the command line with the environment of the `make up` that runs here: `./jibei` asks for it.

Only where nothing was given in the environment; without a `make up` the command says what it wants.
"""

import os
import sys

from dev import home


def main() -> None:
    """Become the command line."""
    running = home.what_runs()
    found = running["environment"] if running else {}
    command = [sys.executable, str(home.CHECKOUT / "cli.py"), *sys.argv[1:]]
    os.execve(sys.executable, command, {**os.environ, **found})  # noqa: S606  no shell


if __name__ == "__main__":
    main()
