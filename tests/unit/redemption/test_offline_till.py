"""The till that docs/offline.md describes: what it serves, and when it stops."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from examples.offline.till import Log, NoCups, Till
from redemption import token

NOW = datetime(2026, 1, 14, 4, tzinfo=UTC)
SERIAL = bytes(range(8))

pytestmark = pytest.mark.usefixtures("settings")  # keys are derived from SECRET_KEY


@pytest.fixture
def till() -> Till:
    keys = {one.id: one.public_key for one in token.list_capsule_keys(now=NOW)}
    return Till(Log("0" * 36, Ed25519PrivateKey.generate()), store_group=1, keys=keys)


def shown(at: datetime, *, serial: bytes = SERIAL, store_group: int = 1) -> str:
    capsule = token.make_capsule(
        serial=serial,
        cups=2,
        store_group=store_group,
        issued_at=NOW,
        ends_at=NOW + timedelta(hours=24),
    )
    seed = token.capsule_seed(serial)
    return token.show_capsule(capsule=capsule, seed=seed, step=token.step_at(at))


def serve(till: Till, *, cups: int = 1, minutes: float = 0, show: str | None = None, **of) -> None:
    at = NOW + timedelta(minutes=minutes)
    till.serve(show or shown(at, **of), cups=cups, product="p", staff="s", at=at)


def test_two_drinks_of_one_capsule_are_two_items(till: Till):
    serve(till)
    serve(till)
    assert [json.loads(line["item"])["number"] for line in till.log.lines] == [1, 2]


def test_no_more_cups_than_the_capsule_has_are_served(till: Till):
    serve(till)
    with pytest.raises(NoCups, match="fewer cups"):
        serve(till, cups=2, minutes=1)
    serve(till, minutes=2)
    with pytest.raises(NoCups, match="fewer cups"):
        serve(till, minutes=3)


def test_that_it_was_online_meanwhile_makes_a_capsule_no_larger(till: Till):
    serve(till, cups=2)
    till.back_online()
    with pytest.raises(NoCups, match="fewer cups"):
        serve(till, minutes=1)


def test_it_stops_after_four_hours_or_fifty_cups_and_begins_anew_when_it_was_online(till: Till):
    serve(till)
    with pytest.raises(NoCups, match="too long"):
        serve(till, minutes=240)
    for other in range(1, 25):
        serve(till, cups=2, minutes=1, serial=bytes([other]) * 8)
    with pytest.raises(NoCups, match="too many"):
        serve(till, cups=2, minutes=1, serial=b"x" * 8)
    till.back_online()
    serve(till, minutes=240, serial=b"y" * 8)


@pytest.mark.parametrize(
    ("why", "of"),
    [
        ("not a code", {"show": "nonsense!"}),
        ("not a capsule", {"show": "HB0X507H0QS0E-0A3WD%6X:IBUPD+Q8*NSI0"}),
        ("other stores", {"store_group": 2}),
        ("over", {"minutes": 1440}),
    ],
)
def test_what_is_not_good_is_not_served(till: Till, why: str, of: dict):
    with pytest.raises(NoCups, match=why):
        serve(till, **of)
    assert till.log.lines == []


def test_an_old_step_a_revoked_serial_and_a_foreign_key_are_not_served(till: Till):
    with pytest.raises(NoCups, match="old"):
        serve(till, show=shown(NOW), minutes=1)
    till.revoked = {SERIAL}
    with pytest.raises(NoCups, match="revoked"):
        serve(till)
    till.keys = {one: bytes(32) for one in till.keys}
    with pytest.raises(NoCups, match="of the chain"):
        serve(till)
