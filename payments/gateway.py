"""The payment provider as the house sees it: what is asked, what is seen. No word of its library.

`provider()` is the only way to it, and refuses while a transaction is open: a lock must not wait
for somebody else's network, and a roll-back cannot undo a charge.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Generic, Literal, Protocol, TypeVar
from uuid import UUID

from kernel import transaction
from kernel.config import config

Status = Literal["intent", "requires_action", "processing", "succeeded", "failed", "cancelled"]
Kind = Literal["charge", "refund", "dispute", "fee", "payout", "other"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Charge:
    """What the provider is asked to do. The same `payment_id` is the same charge, whenever asked.

    `amount` is in minor units of ours. With `keeps_card` the card is kept for charges off session.
    """

    payment_id: UUID
    amount: int
    currency: str
    customer_ref: str
    method_ref: str
    keeps_card: bool
    is_off_session: bool


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
    """Some of a list, the newest first. `next_after` asks for the next page; None at the end."""

    items: tuple[T, ...]
    next_after: str | None


class Gateway(Protocol):
    """What a provider must be able to do. Every method may raise `NoAnswer`."""

    def make_customer(self, *, member_id: UUID) -> str:
        """Answer the reference of a member's customer, the same one when asked again."""

    def charge(self, asked: Charge) -> Intent:
        """Charge a card, once per `payment_id`. A refusal is an answer: a failed intent."""

    def get_intent(self, ref: str) -> Intent:
        """What has become of a payment."""

    def find_intent(self, *, payment_id: UUID, customer_ref: str, since: datetime) -> Intent | None:
        """Look for a payment whose reference never reached us, among the customer's."""

    def cancel(self, ref: str) -> Intent:
        """Give a payment up, and answer what it is now: what has succeeded stays so."""

    def set_up_card(self, *, customer_ref: str, method_ref: str) -> Setup:
        """Save a card for charges off session."""

    def get_setup(self, ref: str) -> Setup:
        """What has become of saving a card."""

    def list_balance_transactions(
        self, *, since: datetime, until: datetime, after: str | None
    ) -> Page[SeenTransaction]:
        """Movements of `[since, until)`, in whole seconds; further ones `after` a page's end."""

    def list_payouts(
        self, *, since: datetime, until: datetime, after: str | None
    ) -> Page[SeenPayout]:
        """Payouts made in `[since, until)`, in whole seconds."""

    def list_paid_out(self, *, payout_ref: str, after: str | None) -> Page[SeenTransaction]:
        """The movements that went out with a payout, without the payout's own."""


_in_use: Gateway | None = None


def provider() -> Gateway:
    """The provider, for whoever holds no transaction.

    Raises:
        RuntimeError: a transaction is open.
    """
    if transaction.is_open():
        raise RuntimeError("the provider is never called inside a transaction")
    return _in_use or _stripe()


@contextmanager
def use(gateway: Gateway) -> Iterator[None]:
    """Put another provider in place of the configured one, as tests do."""
    global _in_use
    before, _in_use = _in_use, gateway
    try:
        yield
    finally:
        _in_use = before


@cache
def _stripe() -> Gateway:
    from payments.stripe_gateway import StripeGateway  # noqa: PLC0415  400 ms, where it is needed

    return StripeGateway(api_key=config().stripe_api_key, base=config().stripe_api_base)
