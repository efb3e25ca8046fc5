"""Asking the provider for many payments side by side, under the ceiling that all workers share."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

import structlog
from sqlalchemy import select

from kernel import clock
from kernel.db import db
from kernel.transaction import again, transaction
from payments import ceiling
from payments.errors import NoAnswer
from payments.gateway import CARDS, Gateway, Intent, provider
from payments.models import Customer
from payments.service.asking import Asking, ask
from payments.service.cards import customer_of

log = structlog.get_logger()

_AT_ONCE = 40
"""So many are asked for at once: a ceiling of 100 a second is reached at 400 ms a call."""


@dataclass(frozen=True, slots=True)
class Charging:
    """Payments that are being asked for in the background."""

    _asked: Mapping[UUID, "Future[Intent]"]

    def outcomes(self) -> dict[UUID, Intent | None]:
        """Wait for all, and answer what was seen of each payment; None where nobody knows.

        What stays unknown (silence, or a defect, which is logged) is found again by the sweep.
        """
        return {
            payment_id: _outcome(payment_id, asked) for payment_id, asked in self._asked.items()
        }


def charge_all(askings: Sequence[Asking]) -> Charging:
    """Begin to ask for payments whose asking is committed. Nobody may hold a transaction.

    They are asked for in their order, as fast as the ceiling lets them.
    """
    of = provider(CARDS)
    customers = _customers([one.member_id for one in askings])
    now = clock.common()
    return Charging(
        {
            one.payment_id: _askers().submit(_ask, one, of, customers.get(one.member_id), now)
            for one in askings
        }
    )


def _ask(asking: Asking, of: Gateway, customer_ref: str | None, now: datetime) -> Intent:
    if customer_ref is None:  # the provider is silent
        raise NoAnswer
    ceiling.wait()
    return ask(asking, of=of, customer_ref=customer_ref, now=now)


def _outcome(payment_id: UUID, asked: "Future[Intent]") -> Intent | None:
    try:
        return asked.result()
    except NoAnswer:
        return None
    except Exception as problem:  # noqa: BLE001  one payment must not stop the others
        log.error(  # noqa: TRY400  a stack may hold what is personal
            "payment.unsettled", payment_id=str(payment_id), error=type(problem).__name__
        )
        return None


def _customers(member_ids: Sequence[UUID]) -> dict[UUID, str | None]:
    """The members as the provider knows them. Who saved a card is known there, but for the lost."""
    known = again(lambda: _known(member_ids))
    return {member_id: known.get(member_id) or _made(member_id) for member_id in member_ids}


def _known(member_ids: Sequence[UUID]) -> dict[UUID, str]:
    with transaction():
        theirs = select(Customer.member_id, Customer.provider_ref)
        found = db.session.execute(theirs.where(Customer.member_id.in_(member_ids)))
        return {customer.member_id: customer.provider_ref for customer in found}


def _made(member_id: UUID) -> str | None:
    try:
        return customer_of(member_id)
    except NoAnswer:
        return None


@cache
def _askers() -> ThreadPoolExecutor:
    """Threads that stay: each keeps its connection to the provider."""
    return ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="charges")
