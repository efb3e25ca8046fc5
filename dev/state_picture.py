"""Draw the states of a subscription, as the table in `subs.states` has them.

    python -m dev.state_picture

writes `docs/subscription.svg`. What leads where, and for what cause, comes from the table; only
where the boxes stand and how far an arrow bends is decided here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from math import hypot
from pathlib import Path
from typing import Final

from subs.states import TRANSITIONS

PICTURE: Final = Path(__file__).parents[1] / "docs" / "subscription.svg"

_WIDTH, _HEIGHT = 980, 640
_HALF_WIDTH, _HALF_HEIGHT = 66, 23
_LINE = 14
_DOT = 9

_PLACES: Final[Mapping[str | None, tuple[int, int]]] = {
    None: (60, 90),
    "trialing": (250, 90),
    "active": (450, 290),
    "paused": (680, 430),
    "past_due": (450, 570),
    "cancelled": (880, 240),
    "lapsed": (130, 570),
}
_BENDS: Final[Mapping[tuple[str | None, str], int]] = {
    (None, "active"): -30,
    ("active", "paused"): 25,
    ("paused", "active"): 35,
    ("active", "past_due"): 40,
    ("past_due", "active"): 40,
    ("past_due", "cancelled"): -160,
    ("trialing", "past_due"): -30,
    ("trialing", "cancelled"): 40,
    ("trialing", "lapsed"): -40,
    ("active", "cancelled"): 15,
    ("active", "lapsed"): -20,
}
"""How far an arrow leaves the straight line, to its left."""

_ENDED = ("cancelled", "lapsed")

_HEAD = f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}"\
 height="{_HEIGHT}" role="img" aria-labelledby="title about">
  <title id="title">The states of a subscription</title>
  <desc id="about">{{about}}</desc>
  <defs>
    <marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7"\
 orient="auto"><path d="M 0 0 L 10 5 L 0 10 z" fill="#6b7280"/></marker>
  </defs>
  <style>
    text {{{{ font-family: "DejaVu Sans", sans-serif; fill: #1f2937; text-anchor: middle; }}}}
    .paper {{{{ fill: #ffffff; }}}}
    .live {{{{ fill: #e4ebe2; stroke: #7d9a78; }}}}
    .ended {{{{ fill: #f4e6e2; stroke: #b4532a; }}}}
    .name {{{{ font-size: 15px; font-weight: bold; }}}}
    .cause {{{{ font-size: 11.5px; fill: #374151; stroke: #ffffff; stroke-width: 4px;\
 paint-order: stroke; }}}}
    .way {{{{ stroke: #6b7280; fill: none; stroke-width: 1.4; }}}}
  </style>
  <rect class="paper" width="{_WIDTH}" height="{_HEIGHT}"/>
"""


@dataclass(frozen=True, slots=True)
class _Point:
    x: float
    y: float

    def __str__(self) -> str:
        return f"{self.x:.0f} {self.y:.0f}"


def picture() -> str:
    """The whole drawing, as SVG; the same for the same table."""
    lines = [_HEAD.format(about=escape(_told())).rstrip("\n")]
    ways = sorted(TRANSITIONS, key=lambda way: (way[0] or "", way[1]))
    lines += [_arrow(before, after) for before, after in ways]
    lines += [part for state in _PLACES for part in _box(state)]
    lines += [line for before, after in ways for line in _causes(before, after)]
    return "\n".join([*lines, "</svg>"]) + "\n"


def _told() -> str:
    ways = sorted(TRANSITIONS.items(), key=lambda way: (way[0][0] or "", way[0][1]))
    told = [
        f"{before or 'the beginning'} to {after} ({', '.join(sorted(causes))})"
        for (before, after), causes in ways
    ]
    return f"From each state to the next, with the cause: {'; '.join(told)}."


def _box(state: str | None) -> Iterator[str]:
    at = _Point(*_PLACES[state])
    if state is None:
        yield f'  <circle cx="{at.x}" cy="{at.y}" r="{_DOT}" fill="#1f2937"/>'
        return
    kind = "ended" if state in _ENDED else "live"
    yield (
        f'  <rect class="{kind}" x="{at.x - _HALF_WIDTH}" y="{at.y - _HALF_HEIGHT}"'
        f' width="{2 * _HALF_WIDTH}" height="{2 * _HALF_HEIGHT}" rx="8"/>'
    )
    yield f'  <text class="name" x="{at.x}" y="{at.y + 5}">{state}</text>'


def _arrow(before: str | None, after: str) -> str:
    start, middle, end = _curve(before, after)
    return f'  <path class="way" d="M {start} Q {middle} {end}" marker-end="url(#head)"/>'


def _causes(before: str | None, after: str) -> Iterator[str]:
    start, middle, end = _curve(before, after)
    x, y = (
        0.25 * a + 0.5 * b + 0.25 * c
        for a, b, c in ((start.x, middle.x, end.x), (start.y, middle.y, end.y))
    )
    causes = sorted(TRANSITIONS[before, after])
    for number, cause in enumerate(causes):
        line = y + 4 + (number - (len(causes) - 1) / 2) * _LINE
        yield f'  <text class="cause" x="{x:.0f}" y="{line:.0f}">{cause}</text>'


def _curve(before: str | None, after: str) -> tuple[_Point, _Point, _Point]:
    """From the edge of one box to the edge of the other, by way of a point beside the middle."""
    a, b = _Point(*_PLACES[before]), _Point(*_PLACES[after])
    dx, dy = b.x - a.x, b.y - a.y
    aside = 2 * _BENDS.get((before, after), 0) / hypot(dx, dy)
    middle = _Point((a.x + b.x) / 2 + dy * aside, (a.y + b.y) / 2 - dx * aside)
    return _edge(a, middle), middle, _edge(b, middle)


def _edge(of: _Point, towards: _Point) -> _Point:
    dx, dy = towards.x - of.x, towards.y - of.y
    if (of.x, of.y) == _PLACES[None]:
        return _Point(of.x + dx * _DOT / hypot(dx, dy), of.y + dy * _DOT / hypot(dx, dy))
    part = min(
        _HALF_WIDTH / abs(dx) if dx else 1.0,
        _HALF_HEIGHT / abs(dy) if dy else 1.0,
    )
    return _Point(of.x + dx * part, of.y + dy * part)


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
