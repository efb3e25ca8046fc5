"""Renewals of the plain kind are taken up and recorded in sets, see `subs.plain_statements`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

import chain
import vouchers
from chain.policy import local_day
from invoicing.policy import filing_period
from kernel import arrays, clock
from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.money import Rounding, without_vat
from ledger import policy as books
from ledger.chart import list_rates
from ledger.models import VatRate
from ledger.service.dating import book_date, hold_months, open_from
from payments import CARDS, Asking, News
from payments.policy import next_look_at
from subs import plain_statements, policy, wording
from subs.policy import Every
from vouchers.expiry_policy import first_due_at

_PURPOSE = "subscription_period"
_JURISDICTION = "TW"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENT = slice(0, 15)  # of a UUIDv7 as text: its milliseconds and its version

_READ_DUE, _TAKE_UP, _LOCK, _READ_PAID, _SETTLE = (
    text(statement)
    for statement in (
        plain_statements.READ_DUE,
        plain_statements.TAKE_UP,
        plain_statements.LOCK,
        plain_statements.READ_PAID,
        plain_statements.SETTLE,
    )
)


def take_up_plain(claimed: Sequence[UUID], *, now: datetime) -> tuple[list[Asking], Sequence[UUID]]:
    """Write down what is to be charged for the next periods of plain subscriptions.

    The caller has locked and leased all of them, in an earlier statement of its transaction.
    Answers what to ask for, and the subscriptions that are not plain.
    """
    due = db.session.execute(_READ_DUE, {"ids": arrays.of_ids(claimed), "now": now}).all()
    if not due:
        return [], claimed
    asked_at = clock.common()
    spans = [_span(row) for row in due]
    askings = [_asking(row, asked_at) for row in due]
    db.session.execute(
        _TAKE_UP,
        {
            "ids": arrays.of_read(row.id for row in due),
            "periods": arrays.of_ids(one.purpose_id for one in askings),
            "payments": arrays.of_ids(one.payment_id for one in askings),
            "numbers": arrays.of_numbers(row.number + 1 for row in due),
            "starts": arrays.of_moments(span.starts_at for span in spans),
            "ends": arrays.of_moments(span.ends_at for span in spans),
            "purpose": _PURPOSE,
            "provider": CARDS,
            "now": now,
            "asked_at": asked_at,
            "look_at": next_look_at(age=timedelta(0), now=now),
        },
    )
    if len(due) == len(claimed):
        return askings, ()
    plain = {row.id for row in due}
    return askings, [one for one in claimed if str(one) not in plain]


def lock_subscriptions(payment_ids: Sequence[UUID]) -> None:
    """Lock the subscriptions that payments are for, by their ids."""
    db.session.execute(_LOCK, {"payments": arrays.of_ids(payment_ids)})


def settle_plain(news: Sequence[News], *, now: datetime) -> Sequence[News]:
    """Settle the periods of plain subscriptions that were paid now; answers what other news is.

    The caller has locked the subscriptions, in an earlier statement. Locks the wallets, by their
    ids.
    """
    come = [one for one in news if one.is_paid]
    if not come:
        return news
    asked = {
        "periods": arrays.of_ids(one.purpose_id for one in come),
        "payments": arrays.of_ids(one.payment_id for one in come),
        "now": now,
    }
    found = db.session.execute(_READ_PAID, asked).all()
    sales = _Sales(found, now)
    sold = [(row, sale) for row in found if (sale := sales.of(row)) is not None]
    if not sold:
        return news
    paid = [row for row, _ in sold]
    vouchers.touch_wallets([one.member_id for one in paid])
    db.session.execute(
        _SETTLE,
        {
            "periods": arrays.of_read(row.period_id for row in paid),
            "due": arrays.of_moments(_next_due_at(row, now) for row in paid),
            "lots_due": arrays.of_moments(_lot_due_at(row, sale, now) for row, sale in sold),
            "sales": arrays.of_numbers(sale.number for _, sale in sold),
            **sales.facts(),
            "now": now,
            "microseconds": str((now - _EPOCH) // timedelta.resolution),
            "moment": str(new_id())[_MOMENT],
            "notice": wording.RENEWED.name,
            "cash": books.CASH,
            "plans": books.PLANS,
            "output_vat": books.OUTPUT_VAT,
        },
    )
    if len(paid) == len(news):
        return ()
    settled = {row.payment_id for row in paid}
    return [one for one in news if str(one.payment_id) not in settled]


def _span(row: Row[Any]) -> policy.Span:
    return policy.period_span(
        anchor_at=row.anchor_at,
        anchor_number=row.anchor_number,
        time_zone=row.time_zone,
        every=Every(row.every_count, row.every_unit),
        number=row.number + 1,
    )


def _asking(row: Row[Any], asked_at: datetime) -> Asking:
    return Asking(
        payment_id=new_id(),
        purpose_id=new_id(),
        member_id=row.member_id,
        provider=CARDS,
        amount=row.price,
        currency=row.currency,
        method_ref=row.method_ref,
        keeps_card=False,
        is_off_session=True,
        provider_ref=None,
        asked_at=asked_at,
    )


def _next_due_at(row: Row[Any], now: datetime) -> datetime:
    return policy.next_renewal_at(ends_at=row.ends_at, charged_at=now, time_zone=row.time_zone)


def _lot_due_at(row: Row[Any], sale: "_Sale", now: datetime) -> datetime:
    return first_due_at(sold_at=now, ends_at=row.ends_at, time_zone=sale.time_zone)


@dataclass(frozen=True, slots=True)
class _Sale:
    """What periods of one version that were sold at one store now have in common."""

    number: int
    version_id: str
    store_id: str
    time_zone: str
    sold_on: date
    booked_on: date
    seller_id: UUID
    net: int
    vat: int
    basis_points: int

    @property
    def is_plain(self) -> bool:
        """Whether both its lines move money."""
        return self.net > 0 and self.vat > 0


class _Sales:
    """The sales of a set, by version and store: looked up once for each."""

    def __init__(self, found: Sequence[Row[Any]], now: datetime) -> None:
        kinds = {(row.version_id, row.store_id): row for row in found}
        stores = chain.find_stores({UUID(store_id) for _, store_id in kinds})
        days = {one.id: local_day(now, time_zone=one.time_zone) for one in stores.values()}
        hold_months(days.values())
        first_open = open_from().for_kind("sale")
        sellers = chain.owners_on(set(days.items()))
        rates = list_rates()
        self._known: dict[tuple[str, str], _Sale] = {}
        for (version_id, store_id), row in kinds.items():
            store = stores[UUID(store_id)]
            on = days[store.id]
            seller = sellers[store.id, on]
            if seller.jurisdiction != _JURISDICTION:
                continue
            rate = _rate(rates, row.vat_code, on)
            rounding: Rounding = rate.rounding  # type: ignore[assignment]  # there is no other
            taxed = without_vat(row.price, basis_points=rate.basis_points, rounding=rounding)
            self._known[version_id, store_id] = _Sale(
                number=len(self._known) + 1,
                version_id=version_id,
                store_id=store_id,
                time_zone=store.time_zone,
                sold_on=on,
                booked_on=book_date(occurred_on=on, known_on=on, first_open=first_open),
                seller_id=seller.id,
                net=taxed.net,
                vat=taxed.vat,
                basis_points=rate.basis_points,
            )

    def of(self, row: Row[Any]) -> _Sale | None:
        """That of a period; None: not as all are, with VAT and a seller who owes an invoice."""
        sale = self._known.get((row.version_id, row.store_id))
        return sale if sale is not None and sale.is_plain else None

    def facts(self) -> Mapping[str, Sequence[object]]:
        """All of them, for the statement."""
        sales = list(self._known.values())
        return {
            "versions": [one.version_id for one in sales],
            "stores": [one.store_id for one in sales],
            "sold_on": [one.sold_on.isoformat() for one in sales],
            "booked_on": [one.booked_on.isoformat() for one in sales],
            "sellers": [one.seller_id for one in sales],
            "nets": [one.net for one in sales],
            "vats": [one.vat for one in sales],
            "rates": [one.basis_points for one in sales],
            "first_on": [filing_period(one.sold_on).isoformat() for one in sales],
        }


def _rate(rates: Sequence[VatRate], code: str, on: date) -> VatRate:
    """The rate of a VAT code on a day: of those that begin by then, the last."""
    begun = [rate for rate in rates if rate.code == code and rate.starts_on <= on]
    if not begun:
        raise NotFound
    return begun[-1]
