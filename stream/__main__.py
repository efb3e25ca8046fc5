"""Serve the streams: `python -m stream --bind 127.0.0.1:8001`."""

import kernel.lean  # noqa: F401  before all others

# isort: split
import argparse
import os
import sys

from aiohttp import web

from kernel.config import ConfigError, config
from kernel.logging import configure
from stream.serve import application


def main() -> int:
    """Serve until told to stop; 2 if the environment is not complete, 1 if nobody can listen."""
    parser = argparse.ArgumentParser(prog="python -m stream", description=__doc__)
    parser.add_argument(
        "--bind", help="host:port to listen on, instead of STREAM_BIND (127.0.0.1:8001)"
    )
    given = parser.parse_args().bind
    if given is not None:
        os.environ["STREAM_BIND"] = given
    try:
        settings = config()
    except ConfigError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    configure(settings.mode)
    host, _, port = settings.stream_bind.rpartition(":")
    try:
        web.run_app(
            application(), host=host.strip("[]"), port=int(port), print=None, access_log=None
        )
    except OSError as problem:
        sys.stderr.write(
            f"Nobody can listen at {settings.stream_bind}: {problem.strerror}. Stop what is there, "
            "or give another address as STREAM_BIND.\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
