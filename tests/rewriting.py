"""The asserts of a fresh clone are made to speak, by each worker those of its share of the files.

pytest would let each worker rewrite all of them, at the same time.
"""

import sys
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

_HERE = Path(__file__).parent


def rewrite_share(config: pytest.Config) -> None:
    """Keep what pytest will look for, for every so many-th file of which nothing is kept yet."""
    if sys.dont_write_bytecode or not hasattr(config, "workerinput"):
        return
    number, of = int(config.workerinput["workerid"][2:]), config.workerinput["workercount"]
    files = sorted([*_HERE.rglob("test_*.py"), *_HERE.rglob("conftest.py")])
    for file in files[number::of]:
        kept = rewrite.get_cache_dir(file) / (file.stem + rewrite.PYC_TAIL)
        if not kept.exists() and rewrite.try_makedirs(kept.parent):
            digest, code = rewrite._rewrite_test(file, config)  # noqa: SLF001
            rewrite._write_pyc(config.stash[rewrite.assertstate_key], code, digest, kept)  # noqa: SLF001
