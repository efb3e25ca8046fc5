"""Months and spans of days, as they are asked for."""

from datetime import date
from typing import Any, Literal

from marshmallow import ValidationError

import chain
from api.fields import Text
from api.refusals import RangeTooWide
from kernel import clock
from ledger.errors import PeriodInvalid
from ledger.month import Month

_EARLIEST = date(1970, 1, 1)

PERIOD_PATTERN = "^[0-9]{4}-(0[1-9]|1[0-2])$"


def period_field(about: str = "A month.", *, required: bool = True, **options: Any) -> Text:
    """Declare a month in a body or a query; `month_named` reads it."""
    told = {"description": about, "pattern": PERIOD_PATTERN, "example": "2026-01"}
    if not required:
        options["load_default"] = None
    return Text(required=required, least=1, most=20, metadata=told, **options)


def today() -> date:
    """The calendar date at the chain."""
    return chain.today_on(clock.now())


def month_named(period: str) -> Month:
    """Read a month.

    Raises:
        PeriodInvalid: it is no month, has not begun, or is before there were books on computers.
    """
    month = Month.parse(period, today_on=today())
    if month.first_on < _EARLIEST:
        raise PeriodInvalid(period=period)
    return month


def refuse_odd_day(day: date, *, field: str) -> None:
    """Refuse a day of which there cannot be figures.

    Raises:
        ValidationError: it is in the future, or before there were books on computers.
    """
    if day > today():
        raise ValidationError({field: ["Is in the future."]})
    if day < _EARLIEST:
        raise ValidationError({field: [f"Must be greater than or equal to {_EARLIEST}."]})


def refuse_wide(first: date, last: date, *, most: int, unit: Literal["days", "months"]) -> None:
    """Refuse a span, both ends included, that is turned round or too wide.

    Raises:
        ValidationError: it ends before it begins.
        RangeTooWide: with what was asked for and the most that is answered at once.
    """
    if first > last:
        raise ValidationError({"from": ["Comes after `to`."]})
    asked = (last - first).days
    if unit == "months":
        asked = (last.year - first.year) * 12 + last.month - first.month
    asked += 1
    if asked > most:
        raise RangeTooWide(asked=asked, most=most, unit=unit)
