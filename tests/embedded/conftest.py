"""A data folder is made once. Tests start servers on it, one at a time; spoilers get a copy."""

import shutil
from pathlib import Path

import pytest

from kernel.embedded import running_postgres
from tests.embedded.sql import run


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a stopped server whose table `lot` has one row of 11 cups."""
    folder = tmp_path_factory.mktemp("made") / "postgres"
    with running_postgres(folder) as server:
        run(server.url("jibei_owner", "jibei"), "CREATE TABLE lot AS SELECT 11 AS cups")
    return folder


@pytest.fixture
def copied_folder(folder: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoilt."""
    return Path(shutil.copytree(folder, tmp_path / "postgres"))
