"""The load of `bench.load`, by members from all over: `python -m bench.anyone PORT MEMBERS …`."""

import asyncio
import json
import sys
from itertools import count

from bench.load import Load, Scans

_STRIDE = 7_919


class Anyone(Scans):
    """One of each 7,919 members comes, again and again, until everybody has come once."""

    def __init__(self, *, members: int, first: int) -> None:
        super().__init__(members=members, first=first)
        self._numbers = count(first, _STRIDE)


def main() -> None:
    """Run one load on schedule, and print what it saw."""
    port, members, first, seconds, connections, rate = sys.argv[1:]
    load = Load(scans=Anyone(members=int(members), first=int(first)), rate=float(rate))
    seen = asyncio.run(
        load.run(port=int(port), seconds=float(seconds), connections=int(connections))
    )
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
