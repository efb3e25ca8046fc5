"""A Flask application with a database and nothing else: what workers, jobs and tools run in.

`api.app.create_app` starts from it and adds everything that answers HTTP.
"""

from flask import Flask

from kernel.config import config
from kernel.db import db

_OPTIONS = "-c timezone=UTC -c lock_timeout=2s -c statement_timeout=30s"


def bare_application(name: str = "jibei") -> Flask:
    """Make an application that is bound to the configured database.

    Raises:
        ConfigError: the environment is not complete.
    """
    settings = config()
    application = Flask(name, static_folder=None)
    application.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url.replace(
        "postgresql://", "postgresql+psycopg://", 1
    )
    application.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "pool_size": settings.database_pool_size,
        "max_overflow": 0,
        "pool_timeout": 5,
        "connect_args": {"options": _OPTIONS},
    }
    db.init_app(application)
    return application
