"""A Flask application with a database and nothing else: what workers, jobs and tools run in.

`api.app.create_app` starts from it and adds everything that answers HTTP.
"""

import re
from typing import Any

from flask import Flask

from kernel.config import Config, config
from kernel.db import db

_OPTIONS = "-c timezone=UTC -c lock_timeout=2s -c statement_timeout=30s"


def bare_application(name: str = "jibei") -> Flask:
    """Make an application that is bound to the configured database.

    Raises:
        ConfigError: the environment is not complete.
    """
    application = Flask(name, static_folder=None)
    application.config.update(database_settings(config()))
    db.init_app(application)
    return application


def database_settings(settings: Config) -> dict[str, Any]:
    """What Flask-SQLAlchemy is told about PostgreSQL, in every process alike."""
    return {
        "SQLALCHEMY_DATABASE_URI": re.sub(
            r"^postgres(ql)?(\+psycopg)?://", "postgresql+psycopg://", settings.database_url
        ),
        "SQLALCHEMY_ENGINE_OPTIONS": {
            "pool_size": settings.database_pool_size,
            "max_overflow": 0,
            "pool_use_lifo": True,  # the one used last knows most statements; the others may rest
            "pool_timeout": 5,
            "hide_parameters": True,  # else a failed statement quotes its values in the log
            "connect_args": {"connect_timeout": 5, "options": _OPTIONS},
        },
    }
