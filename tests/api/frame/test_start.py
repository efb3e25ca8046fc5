"""Starting: what is missing is said at once, in sentences."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_a_start_without_its_settings_names_all_of_them() -> None:
    environment = {"PATH": os.environ["PATH"]}

    started = subprocess.run(
        [sys.executable, "-c", "import wsgi"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert started.returncode == 2
    assert "Traceback" not in started.stderr
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "STRIPE_API_KEY", "PUBLIC_ORIGIN"):
        assert name in started.stderr
