"""Docstrings where Python was told to leave them out (`-OO`): read from the source, when asked for.

The documents are made of them, once in the life of a process or never; kept in memory they are
7 MB of each, the libraries' above all.
"""

import ast
import inspect
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any


def docstring(of: type | Callable[..., Any]) -> str:
    """What a function or a class of a module says of itself; nothing if that is nothing."""
    if of.__doc__ is not None:
        return inspect.cleandoc(of.__doc__)
    file = inspect.getsourcefile(of)
    return "" if file is None else _docstrings(file).get(of.__name__, "")


@lru_cache(maxsize=1)
def _docstrings(file: str) -> dict[str, str]:
    """By name. Those of one file at a time: neighbours are asked for one after the other."""
    parsed = ast.parse(Path(file).read_text(encoding="utf-8"))
    return {
        one.name: ast.get_docstring(one) or ""
        for one in parsed.body
        if isinstance(one, ast.FunctionDef | ast.ClassDef)
    }
