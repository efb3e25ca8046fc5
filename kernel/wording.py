"""What people are told, in the two languages: facts in words, each kind of fact in one way."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from string import Formatter
from typing import Any, Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from kernel.currencies import digits

Language = Literal["zh-TW", "en"]
Unit = Literal["cup", "item", "bag", "visit", "period"]

_UNITS: Final[Mapping[str, str]] = {
    "cup": "杯",
    "item": "份",
    "bag": "包",
    "visit": "次",
    "period": "期",
}
_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_SIGNS: Final[Mapping[str, str]] = {"TWD": "NT$"}


@dataclass(frozen=True, slots=True)
class Words:
    """What is said in one language, with `{names}` of facts. Only a mailbox shows the subject."""

    text: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Count:
    """So many cups, items, bags, visits or periods of a plan: `3 杯`, `3 cups`."""

    count: int
    unit: Unit


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units: `NT$1,000`, `GBP 9.50`, `KWD 9.500`."""

    amount: int
    currency: str


Fact = str | int | date | datetime | UUID | Count | Money
"""What can be told. A UUID is not told: it is for whoever asks whether to tell still."""


def say(words: str, facts: Mapping[str, Fact], *, language: Language, time_zone: str) -> str:
    """Put facts into words; moments are told in the time zone."""
    zone = ZoneInfo(time_zone)
    shown = {name: _shown(fact, language, zone) for name, fact in facts.items()}
    return words.format_map(shown)


def names_in(words: str) -> set[str]:
    """Name the facts that words tell.

    Raises:
        ValueError: a placeholder is more than a `{name}`.
    """
    told = set()
    for _, name, spec, conversion in Formatter().parse(words):
        if name is None:
            continue
        if not name.isidentifier() or spec or conversion:
            raise ValueError(f"{{{name}}} has to be a plain name")
        told.add(name)
    return told


def to_json(fact: Fact) -> Any:
    """Write a fact down as JSON: as PostgreSQL would write a column of its kind."""
    if isinstance(fact, Count | Money):
        return asdict(fact)
    if isinstance(fact, date):  # a datetime is one, too
        return fact.isoformat()
    return str(fact) if isinstance(fact, UUID) else fact


def from_json(plain: Any, *, kind: type[Fact]) -> Fact:
    """Read a fact that `to_json` or PostgreSQL wrote down."""
    return _READ[kind](plain)


def _shown(fact: Fact, language: Language, zone: ZoneInfo) -> str:
    match fact:
        case Count():
            return _count(fact, language)
        case Money():
            return _money(fact)
        case datetime():
            here = fact.astimezone(zone)
            return f"{_day(here, language)} {here:%H:%M}"
        case date():
            return _day(fact, language)
        case _:
            return str(fact)


def _day(day: date, language: Language) -> str:
    if language == "zh-TW":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _count(fact: Count, language: Language) -> str:
    if language == "zh-TW":
        return f"{fact.count:,} {_UNITS[fact.unit]}"
    return f"{fact.count:,} {fact.unit}{'' if fact.count == 1 else 's'}"


def _money(fact: Money) -> str:
    sign = _SIGNS.get(fact.currency, f"{fact.currency} ")
    behind = digits(fact.currency)
    if not behind:
        return f"{sign}{fact.amount:,}"
    whole, part = divmod(fact.amount, 10**behind)
    return f"{sign}{whole:,}.{part:0{behind}}"


_READ: Final[Mapping[type[Fact], Callable[[Any], Fact]]] = {
    str: str,
    int: int,
    date: date.fromisoformat,
    datetime: datetime.fromisoformat,
    UUID: UUID,
    Count: lambda plain: Count(**plain),
    Money: lambda plain: Money(**plain),
}
