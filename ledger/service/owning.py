"""What may change only while the books of a month are not closed: owners of stores, and labels."""

from datetime import date
from uuid import UUID

import chain
from chain import Owned
from ledger import chart
from ledger.month import Month
from ledger.service.dating import hold_months
from ledger.service.periods import check_not_closed


def change_owner(*, store_id: UUID, legal_entity_id: UUID, starts_on: date) -> Owned:
    """Let a store belong to somebody from the first day of a month on.

    Statements of closed months stay as they were read: the month must not be closed.

    Raises:
        PeriodClosed: the month, or a later one, is closed.
        NotFound: there is no such store or legal entity.
    """
    refuse_closed(starts_on)
    return chain.set_owner(store_id=store_id, legal_entity_id=legal_entity_id, starts_on=starts_on)


def rename_account(*, code: str, name: str, external_code: str, starts_on: date) -> None:
    """Call an account something else from a day on; exports of closed months keep the old name.

    Raises:
        PeriodClosed: the day's month, or a later one, is closed.
        AccountUnknown: the chart has no such account.
    """
    refuse_closed(starts_on)
    chart.label_account(code=code, name=name, external_code=external_code, starts_on=starts_on)


def refuse_closed(day: date) -> None:
    """Hold a day's month against its closer until the transaction ends.

    Raises:
        PeriodClosed: that month, or a later one, is closed.
    """
    hold_months([day], is_finance=True)
    check_not_closed(Month.of(day))
