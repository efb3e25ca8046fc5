"""People of finance at their desks, on a clock that the test moves."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kernel import clock
from kernel.ids import new_id
from tests.world import World

NOBODYS = "0199b5a0-0000-7000-8000-00000000dead"
"""The id of nothing."""


@dataclass
class Desk:
    """The chain with its books open. Alice and Bob are of finance, and there is an admin."""

    client: FlaskClient
    world: World
    offset: Path
    people: dict[str, dict[str, str]]

    def get(self, path: str, *, who: str = "alice") -> TestResponse:
        return self.client.get(path, headers=self.people[who])

    def put(self, path: str, *, who: str = "alice", **body: Any) -> TestResponse:
        return self.client.put(path, headers=self.people[who], json=body)

    def post(
        self, path: str, *, who: str = "alice", key: str | None = None, **body: Any
    ) -> TestResponse:
        """Post with a fresh key, unless one is given; no body where nothing is said."""
        headers = {"Idempotency-Key": key or new_id().hex, **self.people[who]}
        return self.client.post(path, headers=headers, json=body or None)

    def store(self, code: str) -> str:
        return str(self.world.stores[code])

    def offer(self, code: str) -> str:
        return str(self.world.offers[code][0])

    @property
    def now(self) -> datetime:
        return clock.now()

    @property
    def today(self) -> date:
        """The date in Taipei."""
        return (clock.now() + timedelta(hours=8)).date()

    def go_to(self, at: datetime) -> None:
        """Move the clock, forwards or back."""
        ahead = (at - datetime.now(UTC)).total_seconds()
        self.offset.write_text(f"{ahead}\n", encoding="ascii")

    def sell(self, member_id: UUID, offer: str = "eleven", **held: Any) -> UUID:
        """A pack of 11 cups for 500, sold now; answers the lot."""
        return self.world.add_lot(member_id, offer, **{"sold_at": clock.now(), **held})


def assert_problem(answer: TestResponse, status: int, slug: str) -> None:
    """Assert which refusal it is."""
    assert (answer.status_code, answer.json["reason"]) == (status, slug), answer.text


def wrong_fields(answer: TestResponse) -> list[str]:
    """Which fields were not valid."""
    assert_problem(answer, 422, "validation")
    return [error["field"] for error in answer.json["errors"]]
