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
    """Serve until told to stop; 1 if the environment is not complete."""
    parser = argparse.ArgumentParser(prog="python -m stream", description=__doc__)
    parser.add_argument(
        "--bind",
        default=os.environ.get("STREAM_BIND", "127.0.0.1:8001"),
        help="host:port to listen on (STREAM_BIND, else 127.0.0.1:8001)",
    )
    host, _, port = parser.parse_args().bind.rpartition(":")
    try:
        configure(config().mode)
    except ConfigError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    web.run_app(application(), host=host, port=int(port), print=None, access_log=None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
