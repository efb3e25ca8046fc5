"""Form-encoded parameters with nested brackets: `card[exp_year]=2031&expand[]=customer`."""

import re
from typing import Any
from urllib.parse import parse_qsl

from sandbox.errors import StripeError

# Leaves are strings; a list is a tree whose keys count up from "0".
Tree = dict[str, Any]

_MAX_FIELDS = 1000
_MAX_DEPTH = 6
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")


def parse_form(encoded: str) -> Tree:
    """The tree that a form describes; later values replace earlier ones of the same name.

    Raises:
        StripeError: not a form, not UTF-8, or one name is both a value and a group.
    """
    try:
        pairs = parse_qsl(
            encoded, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS
        )
    except ValueError as error:
        raise StripeError("The request's parameters are not a valid form in UTF-8.") from error
    tree: Tree = {}
    for name, text in pairs:
        _plant(tree, name, text)
    return tree


def _plant(tree: Tree, name: str, text: str) -> None:
    keys = _keys(name)
    branch = tree
    for key in keys[:-1]:
        branch = branch.setdefault(key or str(len(branch)), {})
        if not isinstance(branch, dict):
            raise StripeError(f"Invalid parameter: {name} is both a value and a group.")
    last = keys[-1] or str(len(branch))
    if isinstance(branch.get(last), dict):
        raise StripeError(f"Invalid parameter: {name} is both a value and a group.")
    branch[last] = text


def _keys(name: str) -> list[str]:
    match = _NAME.fullmatch(name)
    if match is None:
        raise StripeError(f"Invalid parameter name: {name[:100]}")
    keys = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
    if len(keys) > _MAX_DEPTH:
        raise StripeError(f"Invalid parameter: {name[:100]} is nested too deeply.")
    return keys
