"""Delete the data of `make up`: `make reset`. Not while it runs, it would go on without them."""

import shutil
import sys

from dev import home
from kernel.embedded import CannotStart


def main() -> int:
    """Delete it; the exit code is 1 when that was not possible, with a sentence."""
    try:
        with home.only_one():
            shutil.rmtree(home.HOME)
    except CannotStart as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
