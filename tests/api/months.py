"""Closing months over HTTP, with the job that does it."""

from datetime import UTC, datetime, timedelta

from ledger.service.closing import close_asked
from tests.api.desk import Desk


def leave(desk: Desk, period: str) -> None:
    """Go to the day after a month has passed everywhere on earth."""
    first = datetime.fromisoformat(f"{period}-01").replace(tzinfo=UTC)
    desk.go_to((first + timedelta(days=31)).replace(day=2, hour=4))


def soften(desk: Desk, period: str) -> None:
    """Leave a month and shut the shops out of it."""
    leave(desk, period)
    softened = desk.post(f"/v1/periods/{period}/soft-close")
    assert softened.status_code == 200, softened.text


def close(desk: Desk, period: str) -> None:
    """Leave a month and close it."""
    soften(desk, period)
    asked = desk.post(f"/v1/periods/{period}/close")
    assert asked.status_code == 202, asked.text
    close_asked(now=desk.now)
    shown = desk.get(f"/v1/periods/{period}").json
    assert (shown["state"], shown["problem"]) == ("closed", None)
