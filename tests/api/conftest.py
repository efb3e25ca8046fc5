"""What all tests of HTTP share."""

import pytest
from flask import Flask

from tests.api.conforming import ConformingClient


@pytest.fixture(scope="session", autouse=True)
def conforming(http_application: Flask) -> None:
    """Hold every answer against the documents."""
    http_application.test_client_class = ConformingClient
