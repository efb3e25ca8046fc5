"""Somebody who follows what happens at a store, as a browser's EventSource would."""

import json
from collections.abc import Mapping
from threading import Thread
from typing import Any

import httpx

_SECONDS_OF_SILENCE = 60.0


class Follower:
    """Listens until the stream ends. What it has heard may be looked at meanwhile."""

    def __init__(self, url: str) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.is_listening = False
        Thread(target=self._listen, args=(url,), daemon=True).start()

    def find(self, kind: str, **facts: object) -> Mapping[str, Any] | None:
        """The first event of a kind with these facts, once it was heard."""
        for heard, told in list(self.heard):
            if heard == kind and all(told[name] == value for name, value in facts.items()):
                return dict(told)
        return None

    def _listen(self, url: str) -> None:
        with httpx.stream("GET", url, timeout=_SECONDS_OF_SILENCE) as answer:
            self.is_listening = answer.is_success
            kind = ""
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    kind = value
                elif name == "data":
                    self.heard.append((kind, json.loads(value)))
