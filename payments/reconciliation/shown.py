"""What a reconciliation shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

Verdict = Literal["matched", "ours_only", "theirs_only", "amounts_differ"]

_EXPLAINED = frozenset({None, "fraction_carried"})


@dataclass(frozen=True, slots=True)
class Line:
    """One payment, or money back, beside its movement; None where a side has none this month.

    What goes back to a payer is negative, and what a bank sends back, or a won dispute, positive.

    `cause` says why the sides differ: `unknown_to_provider`, `not_fetched_yet`,
    `theirs_in_other_month` · `unknown_to_us` (somebody else's charge on the same account),
    `open_with_us` (its news is still to come), `failed_with_us`, `ours_in_other_month`,
    `charged_twice`, `refund_not_ours` (nor is it of a repayment), `dispute_not_ours`,
    `provider_fee`, `other_movement` ·
    `amount_differs`, `currency_differs`.
    """

    verdict: Verdict
    cause: str | None
    kind: str
    payment_id: UUID | None
    payment_ref: str | None
    transaction_ref: str | None
    ours_minor: int | None
    ours_currency: str | None
    theirs_minor: int | None
    theirs_currency: str | None
    settled_at: datetime | None
    created_at: datetime | None


@dataclass(slots=True)
class Charged:
    """What shoppers were charged in one currency: by our payments, and by the provider."""

    currency: str
    ours_minor: int = 0
    theirs_minor: int = 0

    @property
    def difference_minor(self) -> int:
        return self.ours_minor - self.theirs_minor


@dataclass(slots=True)
class Held:
    """How the balance at the provider moved in one of its currencies.

    `opening + net − paid_out = closing`; `net = charges + refunds + disputes + other − fees`,
    refunds being negative. Counted since the first payment of ours. `by_day_minor` is the closing
    balance as the sums of the days have it, which is the same if no movement was lost.
    """

    currency: str
    opening_minor: int = 0
    charges_minor: int = 0
    refunds_minor: int = 0
    disputes_minor: int = 0
    other_minor: int = 0
    fees_minor: int = 0
    paid_out_minor: int = 0
    by_day_minor: int = 0

    @property
    def net_minor(self) -> int:
        moved = self.charges_minor + self.refunds_minor + self.disputes_minor + self.other_minor
        return moved - self.fees_minor

    @property
    def closing_minor(self) -> int:
        """What is still at the provider at the month's end."""
        return self.opening_minor + self.net_minor - self.paid_out_minor

    @property
    def difference_minor(self) -> int:
        return self.closing_minor - self.by_day_minor


@dataclass(frozen=True, slots=True)
class PaidOut:
    """A payout beside the sum of what went out with it.

    `cause`: `fraction_carried` (the bank gets whole dollars; less than one waits for the next
    payout), `not_listed_yet`, `not_itemised` (made by hand), `items_differ`.
    """

    payout_ref: str
    status: str
    currency: str
    amount_minor: int
    items_minor: int
    items: int
    created_at: datetime
    arrives_at: datetime
    cause: str | None

    @property
    def difference_minor(self) -> int:
        return self.amount_minor - self.items_minor

    @property
    def agrees(self) -> bool:
        return self.cause in _EXPLAINED


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A month of payments, proved against the provider or not.

    `lines` counts all of them by verdict; `differences` are those that are not `matched`.
    `cash_expected` is what succeeded payments brought, by currency in minor units of ours, and
    `surplus` what came besides for something already paid, to be given back.
    """

    first_on: date
    next_on: date
    fetched_until: datetime | None
    lines: dict[Verdict, int]
    differences: Sequence[Line]
    charged: Sequence[Charged]
    held: Sequence[Held]
    payouts: Sequence[PaidOut]
    cash_expected: dict[str, int]
    surplus: dict[str, int]
