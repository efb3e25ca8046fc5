"""Offline uploads over HTTP: items a second, each a redemption with its money."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from statistics import median

from bench.figures import Figures
from bench.load import TILLS
from bench.site import ROOT, Site
from bench.upload import AT_ONCE, LASTS, SERIALS
from redemption import token


def measure(figures: Figures, at: Site, port: int, *, short: bool) -> None:
    """Let sixteen tills bring logs of shoppers who each collected one cup."""
    uploads, rounds = (1, 1) if short else (2, 3)
    issued_at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    at.run(
        "capsules.sql",
        serials=SERIALS,
        members=TILLS * AT_ONCE * uploads * rounds,
        key_id=token.id_of_window(token.window_at(issued_at)),
        issued_at=issued_at.isoformat(),
        ends_at=(issued_at + LASTS).isoformat(),
    )
    at.ask("ANALYZE capsule")
    asked = [port, issued_at.isoformat(), uploads, rounds]
    done = subprocess.run(
        [sys.executable, "-m", "bench.upload", *map(str, asked)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=ROOT,
        env=dict(os.environ),
        timeout=300,
    )
    seen = [json.loads(line) for line in done.stdout.splitlines()]
    if any(set(one["outcomes"]) != {"applied"} for one in seen):
        raise RuntimeError(f"not every item was applied: {seen}")
    figures.add("batch_items_per_s", median(one["per_s"] for one in seen), "1/s")
