"""What gunicorn serves."""

import kernel.lean  # noqa: F401  before all others

# isort: split
import sys

from kernel.config import ConfigError

try:
    from api.app import create_app

    app = create_app()
except ConfigError as problem:
    print(problem, file=sys.stderr)  # noqa: T201  start-up speaks to whoever starts it
    sys.exit(2)
