"""Tills that scan, as the parts of the bench use them: `bench.load` in a process of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]
_TILLS_AT_ONCE = 16
_MOST_A_SECOND = 4_000


@dataclass
class Tills:
    """Sixteen tills at a server, with `members` shoppers, who come `apart` from one another."""

    port: int
    members: int
    apart: int = 1
    first: int = 0

    def scan(self, *, seconds: float, rate: float | None = None, hot: int = 0) -> dict[str, Any]:
        """Scan for so long, and answer what was seen; each load begins behind the one before."""
        asked: list[object] = [self.port, self.members, self.first, seconds, _TILLS_AT_ONCE]
        asked += ["--apart", self.apart, "--hot", hot]
        asked += [] if rate is None else ["--rate", rate]
        self.first += int(_MOST_A_SECOND * (seconds + 2))
        done = subprocess.run(
            [sys.executable, "-m", "bench.load", *map(str, asked)],
            capture_output=True,
            text=True,
            check=True,
            cwd=_ROOT,
            env=dict(os.environ),
            timeout=seconds + 60,
        )
        seen: dict[str, Any] = json.loads(done.stdout)
        if set(seen["statuses"]) != {"201"} or seen["lost"]:
            raise RuntimeError(f"not every redemption was made: {seen}")
        return seen

    def per_s(self, *, seconds: float, hot: int = 0) -> float:
        """How many redemptions a second, as fast as answers come."""
        return float(self.scan(seconds=seconds, hot=hot)["per_s"])
