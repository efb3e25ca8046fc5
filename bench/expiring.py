"""A worker that works off expiry, in a process of its own: `python -m bench.expiring`.

Says `ready` when it has connected, begins at a line on its standard input, and ends when nothing is
due. Prints JSON: when it ended, and how much its memory grew meanwhile.
"""

import json
import sys
import time
from pathlib import Path

from kernel import clock
from kernel.application import bare_application
from kernel.due import is_due
from kernel.transaction import transaction
from vouchers import jobs
from vouchers.service.expiry import find_ending


def main() -> None:
    """Warm up by a look at a few lots, wait, and expire."""
    with bare_application().app_context():
        with transaction():
            find_ending(lots=10, wallets=1, now=clock.now())
        before = _peak_kb()
        print("ready", flush=True)
        sys.stdin.readline()
        while _is_left():  # as the tick rings, while other workers hold what is left
            jobs.expire_due()
        ended_at = time.time()
    print(json.dumps({"ended_at": ended_at, "grown_mb": (_peak_kb() - before) / 1024}))


def _is_left() -> bool:
    with transaction():
        return is_due(jobs.EXPIRY, clock.now())


def _peak_kb() -> int:
    """Of this program alone: getrusage would tell the peak of whoever started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1])


if __name__ == "__main__":
    main()
