"""gunicorn's entry: `gunicorn --config sandbox/gunicorn_settings.py sandbox.wsgi:app`.

Exactly one worker, and no `--preload`: idempotency keys in use are known to one process, and
the thread that delivers webhooks starts with the application, after gunicorn has forked.
"""

import sqlite3
import sys

from sandbox.app import create_app
from sandbox.config import Settings, SettingsError

_APP_FAILED_TO_LOAD = 4
"""The exit code at which gunicorn stops, instead of starting the worker again for ever."""

try:
    settings = Settings.from_environment()
except SettingsError as error:
    sys.stderr.write(f"{error}\n")
    raise SystemExit(_APP_FAILED_TO_LOAD) from None

try:
    app = create_app(settings)
except sqlite3.DatabaseError as error:
    sys.stderr.write(
        f"{settings.db} cannot be used ({error}): put it back, or delete it, and the sandbox "
        "provider begins anew, without the payments that it knew.\n"
    )
    raise SystemExit(_APP_FAILED_TO_LOAD) from None
