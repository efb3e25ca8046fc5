"""The office: who of the sample chain's staff is signed in at a desk."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp

from dev.tour.client import Api
from dev.tour.story import Off, Story
from kernel import clock

_ALMOST_OVER = timedelta(minutes=1)
_REFUSED = "sign-in-refused"


class Desks:
    """Desks by role, each signed in when it is first needed and again when its session is over."""

    def __init__(self, api: Api, story: Story, sign_ins: Path) -> None:
        self._api = api
        self._story = story
        self._people = json.loads(sign_ins.read_text(encoding="utf-8"))["staff"]
        self._sessions: dict[str, tuple[Api, datetime]] = {}

    def of(self, role: str) -> Api:
        """The desk of the manager, finance or the admin."""
        session = self._sessions.get(role)
        if session is None or session[1] <= clock.now() + _ALMOST_OVER:
            session = self._sessions[role] = self._sign_in(role)
        return session[0]

    def person(self, role: str, *, store: str | None = None) -> Mapping[str, Any]:
        """The sample sign-in of somebody with this role, who works at this store."""
        fit = (one for one in self._people if store is None or store in one["stores"])
        found: Mapping[str, Any] = next(one for one in fit if one["role"] == role)
        return found

    def _sign_in(self, role: str) -> tuple[Api, datetime]:
        """A one-time code is good once: one that was used by a tour just before, is waited out."""
        person = self.person(role)
        tried: set[str] = set()

        def attempt() -> Any:
            totp = pyotp.TOTP(person["totp_secret"]).at(clock.now())
            if totp in tried:
                return None
            tried.add(totp)
            body = {"staff_number": person["number"], "password": person["password"], "totp": totp}
            answer = self._api.send("POST", "/v1/office-sessions", body)
            if answer.is_refusal and answer.document["reason"] != _REFUSED:
                raise Off(f"{role} at a desk: expected to sign in, seen {answer.document}")
            return None if answer.is_refusal else answer.document

        session = self._story.wait(f"{role} signs in by password and one-time code", attempt)
        ends_at = datetime.fromisoformat(session["ends_at"])
        return self._api.signed_in(session["token"]), ends_at
