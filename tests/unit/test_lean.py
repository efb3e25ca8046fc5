"""What long-lived processes leave out."""

import subprocess
import sys

from tests.conftest import ROOT

_LEAN = (
    "import sys, kernel.lean, structlog; print(sorted({'rich', 'structlog'} & set(sys.modules)))"
)


def _printed(code: str) -> str:
    ran = [sys.executable, "-c", code]
    return subprocess.run(ran, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_the_log_does_not_load_rich() -> None:
    assert _printed(_LEAN) == "['structlog']\n"


def test_who_wants_rich_still_gets_it() -> None:
    assert _printed(f"{_LEAN}; from rich.console import Console; Console().print('there')") == (
        "['structlog']\nthere\n"
    )


def test_asking_the_provider_loads_no_client_for_asyncio() -> None:
    code = """
import kernel.lean, os, sys
os.environ.update(
    JIBEI_MODE="development", DATABASE_URL="postgresql://here/jibei", REDIS_URL="redis://here",
    SECRET_KEY="5e" * 32, STRIPE_API_KEY="sk_test_of_the_tests", STRIPE_WEBHOOK_SECRET="whsec_x",
    PUBLIC_ORIGIN="http://127.0.0.1:8000",
)
from kernel.application import bare_application
from payments import gateway
with bare_application().app_context():
    gateway.provider()
print(sorted({"stripe", "requests", "httpx", "aiohttp", "rich"} & set(sys.modules)))
import httpx
print(httpx.Client.__name__)
"""

    assert _printed(code) == "['requests', 'stripe']\nClient\n"


def test_a_log_in_colours_shows_a_stack_without_rich() -> None:
    code = """
import kernel.lean, structlog
from kernel.logging import configure
import sys; sys.stderr = sys.stdout
configure("development")
try:
    raise ValueError("no such drink")
except ValueError:
    structlog.get_logger().exception("it.failed")
"""

    told = _printed(code)

    assert "it.failed" in told
    assert "ValueError: no such drink" in told
