"""What is asked of a payment provider, and what is seen there, in the house's own words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Literal, TypeVar
from uuid import UUID

Status = Literal["intent", "requires_action", "processing", "succeeded", "failed", "cancelled"]
Returning = Literal["processing", "succeeded", "failed"]
Kind = Literal["charge", "refund", "dispute", "fee", "payout", "other"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Charge:
    """What a provider is asked to do. The same `payment_id` is the same charge, whenever asked.

    `amount` is in minor units of ours. `method_ref` is a card, or the terminal that it is held to;
    none where the payer chooses in the provider's own form. With `keeps_card` the card is kept for
    charges off session. `customer_ref` is for providers that know customers.
    """

    payment_id: UUID
    amount: int
    currency: str
    customer_ref: str | None
    method_ref: str | None
    keeps_card: bool = False
    is_off_session: bool = False


@dataclass(frozen=True, slots=True)
class SeenCard:
    """A card as the provider shows it: its reference, and what a shopper recognises it by."""

    ref: str
    brand: str
    last4: str


@dataclass(frozen=True, slots=True)
class Intent:
    """A payment as the provider sees it now.

    `ref` is None where the provider refused before making one. `failure` is its code for why not.
    `payment_id` is ours, if the payment is.
    """

    ref: str | None
    status: Status
    payment_id: UUID | None
    amount: int
    currency: str
    client_secret: str | None = None
    failure: str | None = None
    card: SeenCard | None = None


@dataclass(frozen=True, slots=True)
class Repay:
    """Money that a provider is asked to give back. The same `repayment_id` is the same, always.

    `payment_ref` is the provider's reference of what was paid; `amount` is in minor units of ours.
    """

    repayment_id: UUID
    payment_ref: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class SeenRepayment:
    """A repayment as the provider sees it now.

    `ref` is None where the provider refused before making one. `repayment_id` is ours, if it is.
    """

    ref: str | None
    status: Returning
    repayment_id: UUID | None
    payment_ref: str | None
    amount: int
    currency: str | None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class SeenDispute:
    """A payment that its holder's bank takes back, as the provider sees it now.

    An `inquiry` is only a question: no money has been taken.
    """

    ref: str
    status: Literal["inquiry", "open", "won", "lost"]
    payment_ref: str | None
    amount: int
    currency: str
    reason: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Setup:
    """A card being saved without a charge: saved, waiting for its holder, or refused."""

    status: Literal["succeeded", "requires_action", "failed"]
    customer_ref: str
    client_secret: str | None = None
    failure: str | None = None
    card: SeenCard | None = None


@dataclass(frozen=True, slots=True)
class SeenTransaction:
    """One movement of the chain's balance at the provider.

    All amounts are in the provider's minor units (TWD: hundredths), positive where the chain
    gets money; `net_minor = amount_minor - fee_minor`. What the card was charged may be in
    another currency than the balance. `payment_ref` is the intent that it belongs to, if any.
    """

    ref: str
    kind: Kind
    type: str
    source_ref: str | None
    payment_ref: str | None
    amount_minor: int
    fee_minor: int
    net_minor: int
    currency: str
    charged_minor: int
    charged_currency: str
    created_at: datetime
    available_at: datetime


@dataclass(frozen=True, slots=True)
class SeenPayout:
    """Money on its way to the bank, in the provider's minor units (TWD: hundredths).

    `is_itemised`: the provider can say now which movements went out with it.
    """

    ref: str
    status: Literal["pending", "in_transit", "paid", "failed", "cancelled"]
    amount_minor: int
    currency: str
    is_automatic: bool
    is_itemised: bool
    failure: str | None
    created_at: datetime
    arrives_at: datetime


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list. `next_after` asks for the next page; None at the end."""

    items: tuple[T, ...]
    next_after: str | None
