"""What finance reads in Jibei's reports."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import Any

from dev.tour.client import Answer, Api

KINDS = (
    *("opening", "sold", "redeemed", "voided", "lapsed", "refunded"),
    *("charged_back", "transferred", "closing"),
)

Row = Mapping[str, int]
"""A movement's money by its name, and its cups by `cups_` and its name."""

NOTHING: Row = {name: 0 for kind in KINDS for name in (kind, f"cups_{kind}")}


@dataclass(frozen=True, slots=True)
class Reading:
    """The reports of some months. Rows by month, store and offer; debts by month and two stores."""

    rows: Mapping[tuple[str, str, str], Row]
    owed: Mapping[tuple[str, str, str], tuple[int, int]]


def read(finance: Api, months: Iterable[str]) -> Reading:
    """Read the roll-forward and the settlement of months that have begun."""
    rows: dict[tuple[str, str, str], Row] = {}
    owed: dict[tuple[str, str, str], tuple[int, int]] = {}
    for month in months:
        for row in finance.get("/v1/reports/deferred-revenue", period=month)["rows"]:
            place = (month, row["store_code"], row["offer_code"])
            rows[place] = _added(rows.get(place), row)
        for cell in finance.get("/v1/reports/settlement", period=month)["rows"]:
            pair = (month, cell["sold_at_code"], cell["made_at_code"])
            owed[pair] = (cell["cups"], cell["amount"])
    return Reading(rows, owed)


def read_balance(finance: Api, account: str, *, month: str) -> int:
    """Read what an account holds at the end of a month so far; debits are positive."""
    rows = finance.get("/v1/reports/trial-balance", period=month)["rows"]
    return sum(row["closing"] for row in rows if row["account"] == account)


def read_file(answer: Answer, month: str) -> dict[tuple[str, str, str], Row]:
    """Read the roll-forward of a month from its CSV, by the names that it gives itself."""
    lines = csv.DictReader(StringIO(answer.content.decode("utf-8-sig"), newline=""))
    rows: dict[tuple[str, str, str], Row] = {}
    for line in lines:
        place = (month, line["store_code"], line["offer_code"])
        rows[place] = _added(rows.get(place), line)
    return rows


def _added(so_far: Row | None, row: Mapping[str, Any]) -> Row:
    """Sum up a store's rows of an offer: cups in wallets, and those in gifts under way."""
    return {name: (so_far or NOTHING)[name] + int(row[name]) for name in NOTHING}


@dataclass(frozen=True, slots=True)
class Rates:
    """The renewal rates of a plan, by month, and when they were counted."""

    computed_at: str | None
    by_month: Mapping[str, Any]

    def counts(self, month: str) -> tuple[int, int, int]:
        """Periods due, renewed on time, renewed at all."""
        rate = self.by_month.get(month)
        return (rate["due"], rate["on_time"], rate["renewed"]) if rate else (0, 0, 0)

    def is_since(self, moment: datetime) -> bool:
        """Whether they were counted at this moment or later."""
        return self.computed_at is not None and datetime.fromisoformat(self.computed_at) >= moment


def read_rates(finance: Api, *, plan: str, first: str, last: str) -> Rates:
    """Read the renewal rates of a plan."""
    asked = {"from": first, "to": last, "plan": plan}
    answer = finance.get("/v1/stats/renewals", **asked)
    rates = {rate["month"]: rate for rate in answer["rows"]}
    return Rates(answer["computed_at"], rates)
