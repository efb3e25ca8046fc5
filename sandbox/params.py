"""Parameters, read one by one; what nobody read is unknown."""

import re
from collections.abc import Collection

from sandbox.errors import StripeError
from sandbox.forms import Tree

_INTEGER = re.compile(r"-?[0-9]{1,15}")
_MAX_TEXT = 5000
_MAX_METADATA_KEYS, _MAX_METADATA_KEY, _MAX_METADATA_TEXT = 50, 40, 500


class Params:
    """The parameters of one request.

    Endpoints read all of theirs first and then call `finish`; only then does the request
    begin to execute, which is also from when on its answer is kept under its idempotency key.
    """

    def __init__(self, tree: Tree, *, within: str = "") -> None:
        self.tree = tree
        self._within = within
        self._read: set[str] = set()
        self._groups: list[Params] = []
        self.is_finished = False

    def __contains__(self, key: str) -> bool:
        return key in self.tree

    def finish(self) -> None:
        """Refuse what no reader asked for."""
        for key in self.tree:
            if key not in self._read:
                name = self.name(key)
                raise StripeError(
                    f"Received unknown parameter: {name}", code="parameter_unknown", param=name
                )
        for group in self._groups:
            group.finish()
        self.is_finished = True

    def find_text(self, key: str, *, longest: int = _MAX_TEXT) -> str | None:
        self._read.add(key)
        text = self.tree.get(key)
        if text is None:
            return None
        name = self.name(key)
        if not isinstance(text, str):
            raise StripeError(f"Invalid string: {name} is a group.", param=name)
        if not text:
            raise StripeError(
                f"{name} is empty, and it cannot be unset: leave it out or give a value.",
                code="parameter_invalid_empty",
                param=name,
            )
        if len(text) > longest:
            raise StripeError(f"{name} is longer than {longest} characters.", param=name)
        return text

    def get_text(self, key: str) -> str:
        text = self.find_text(key)
        if text is None:
            raise self._missing(key)
        return text

    def find_clearable(self, key: str, *, before: str | None) -> str | None:
        """A text that may be cleared with an empty one; `before` where nothing was sent."""
        if self.tree.get(key) == "":
            self._read.add(key)
            return None
        text = self.find_text(key)
        return before if text is None else text

    def find_integer(self, key: str) -> int | None:
        text = self.find_text(key)
        if text is None:
            return None
        if not _INTEGER.fullmatch(text):
            raise StripeError(
                f"Invalid integer: {text[:50]}",
                code="parameter_invalid_integer",
                param=self.name(key),
            )
        return int(text)

    def get_integer(self, key: str) -> int:
        number = self.find_integer(key)
        if number is None:
            raise self._missing(key)
        return number

    def flag(self, key: str, *, default: bool = False) -> bool:
        text = self.find_text(key)
        if text is None:
            return default
        if text not in {"true", "false"}:
            raise StripeError(f"Invalid boolean: {text[:50]}", param=self.name(key))
        return text == "true"

    def find_choice(self, key: str, choices: Collection[str]) -> str | None:
        text = self.find_text(key)
        if text is not None and text not in choices:
            raise StripeError(
                f"Invalid {self.name(key)}: must be one of {', '.join(sorted(choices))}",
                param=self.name(key),
            )
        return text

    def texts(self, key: str) -> list[str]:
        """A list, sent as `key[]=…` or `key[0]=…`."""
        self._read.add(key)
        branch = self.tree.get(key, {})
        if not isinstance(branch, dict) or not all(isinstance(t, str) for t in branch.values()):
            raise StripeError("Invalid array", param=self.name(key))
        return list(branch.values())

    def find_group(self, key: str) -> "Params | None":
        self._read.add(key)
        branch = self.tree.get(key)
        if branch is None:
            return None
        if not isinstance(branch, dict):
            raise StripeError("Invalid object", param=self.name(key))
        group = Params(branch, within=self.name(key))
        self._groups.append(group)
        return group

    def get_group(self, key: str) -> "Params":
        group = self.find_group(key)
        if group is None:
            raise self._missing(key)
        return group

    def ignore(self, *keys: str) -> None:
        """Accept parameters that make no difference here."""
        self._read.update(keys)

    def metadata(self, *, before: dict[str, str] | None = None) -> dict[str, str]:
        """The caller's notes after this request: merged, a key with an empty value removed."""
        self._read.add("metadata")
        merged = dict(before or {})
        branch = self.tree.get("metadata", {})
        if branch == "":
            return {}
        if not isinstance(branch, dict):
            raise StripeError("Invalid object", param=self.name("metadata"))
        for key, text in branch.items():
            _check_note(key, text)
            merged[key] = text
        kept = {key: text for key, text in merged.items() if text != ""}
        if len(kept) > _MAX_METADATA_KEYS:
            raise StripeError(
                f"Metadata holds at most {_MAX_METADATA_KEYS} keys.", param="metadata"
            )
        return kept

    def name(self, key: str) -> str:
        """A key as the caller wrote it: `card[exp_year]`."""
        return f"{self._within}[{key}]" if self._within else key

    def _missing(self, key: str) -> StripeError:
        name = self.name(key)
        return StripeError(f"Missing required param: {name}.", code="parameter_missing", param=name)


def _check_note(key: str, text: object) -> None:
    if not isinstance(text, str):
        raise StripeError("Metadata values are strings.", param=f"metadata[{key}]")
    if len(key) > _MAX_METADATA_KEY or len(text) > _MAX_METADATA_TEXT:
        raise StripeError(
            f"Metadata keys have up to {_MAX_METADATA_KEY} characters, "
            f"values up to {_MAX_METADATA_TEXT}.",
            param="metadata",
        )
