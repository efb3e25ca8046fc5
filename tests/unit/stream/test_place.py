"""How far somebody has heard: what is between two events is neither lost nor told again."""

from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.ids import new_id
from stream.place import LOOKS_BACK_MS, Place, before

NOW = new_id()


def rows(*ago_ms: int) -> list[UUID]:
    """Ids of so many milliseconds before now."""
    return [UUID(int=before(NOW, ago).int | number << 8 | 7) for number, ago in enumerate(ago_ms)]


def heard(*ids: UUID) -> Place:
    place = Place(ids[0], floor=before(ids[0], 3_600_000))
    for one in ids:
        place.hear(one)
    return place


def back(place: Place) -> Place:
    """Whoever comes back brings the place in a header."""
    again = Place.read(str(place))
    assert again is not None
    return again


@given(st.lists(st.integers(0, 60_000), min_size=1, max_size=40))
def test_who_comes_back_knows_each_row_of_the_last_half_minute(ago_ms: list[int]) -> None:
    ids = rows(*ago_ms)
    again = back(heard(*ids))
    recent = [one for one in ids if one > again.since]
    assert recent
    assert all(again.has(one) for one in ids)
    assert not again.has(new_id())
    assert not again.has(UUID(int=recent[0].int ^ 1))
    assert again.since == before(max(ids), LOOKS_BACK_MS)


def test_a_row_by_itself_is_a_place() -> None:
    (one,) = rows(0)
    assert back(heard(one)).has(one)
    assert str(heard(one)) == str(one)


def test_who_comes_for_the_first_time_listens_from_then_on() -> None:
    place = Place.here()
    for one in (place, back(place), back(back(place))):
        assert one.has(before(new_id(), 3_000))
        assert not one.has(new_id())
    (new,) = rows(0)
    place.hear(new)
    assert back(place).since == place.since > before(new, LOOKS_BACK_MS)


def test_where_somebody_began_is_forgotten_after_half_a_minute() -> None:
    place = Place.here()
    later = before(new_id(), -40_000)
    place.hear(later)
    assert (str(place), place.since) == (str(later), before(later, LOOKS_BACK_MS))


def test_a_place_fits_into_a_header_however_busy_the_store_was() -> None:
    ids = rows(*range(5_000, 0, -1))
    text = str(heard(*ids))
    assert len(text) < 1_100
    assert len(heard(*ids)._heard) < 200  # noqa: SLF001  thousands of screens each hold one
    again = back(heard(*ids))
    assert all(again.has(one) for one in ids[-100:])


def test_what_was_heard_stays_heard_over_many_breaks() -> None:
    ids = rows(9_000, 8_000, 7_000, 6_000, 5_000)
    place = heard(ids[0])
    for one in ids[1:]:
        place = back(place)
        assert not place.has(one)
        place.hear(one)
    assert all(place.has(one) for one in ids)
    assert all(a < b for a, b in pairwise(ids))


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "x",
        "-" * 36,
        "{now}~abc",
        "{now}~" + "é" * 8,
        "{now}\n",
        " {now}",
        "{{{now}}}",
        "{in_an_hour}",
        "f" * 8 + "-ffff-ffff-ffff-" + "f" * 12,
    ],
)
def test_anything_else_is_no_place(text: str | None) -> None:
    in_an_hour = before(NOW, -3_600_000)
    assert Place.read(text and text.format(now=NOW, in_an_hour=in_an_hour)) is None
