"""The payment providers as the house sees them: what each must be able to do, and the way to it.

`provider()` is the only way, and refuses while a transaction is open: a lock must not wait for
somebody else's network, and a roll-back cannot undo a charge. A further provider is one file that
keeps to `Gateway`, and a line in `_OPEN`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Protocol, cast
from uuid import UUID

from kernel import lean, transaction
from kernel.config import config
from payments.errors import TerminalNotSetUp
from payments.exchanged import (
    Charge,
    Intent,
    Kind,
    Page,
    Repay,
    Returning,
    SeenCard,
    SeenDispute,
    SeenPayout,
    SeenRepayment,
    SeenTransaction,
    Setup,
    Status,
)

__all__ = [
    "CARDS",
    "CASH",
    "TERMINAL",
    "CardGateway",
    "Charge",
    "Gateway",
    "Intent",
    "Kind",
    "Page",
    "Repay",
    "Returning",
    "SeenCard",
    "SeenDispute",
    "SeenPayout",
    "SeenRepayment",
    "SeenTransaction",
    "Setup",
    "Status",
    "cards",
    "names",
    "provider",
    "refuse_unless_set_up",
    "use",
]

CARDS = "stripe"
TERMINAL = "terminal"
CASH = "cash"
"""Money in a drawer: nobody is asked, so there is no gateway of that name."""


class Gateway(Protocol):
    """What a provider must be able to do. Every method may raise `NoAnswer`.

    What is asked for by a reference that the provider does not know raises `UnknownToProvider`.
    Lists are of what was made in `[since, until)`, in whole seconds; further ones `after` a page.
    """

    def charge(self, asked: Charge) -> Intent:
        """Be paid, once per `payment_id`. A refusal is an answer: a failed intent."""

    def get_intent(self, ref: str) -> Intent:
        """What has become of a payment."""

    def find_intent(
        self, *, payment_id: UUID, customer_ref: str | None, since: datetime
    ) -> Intent | None:
        """Look for a payment whose reference never reached us, among the customer's."""

    def cancel(self, ref: str) -> Intent:
        """Give a payment up, and answer what it is now: what has succeeded stays so."""

    def repay(self, asked: Repay) -> SeenRepayment:
        """Give money back, once per `repayment_id`. A refusal is an answer: a failed repayment."""

    def get_repayment(self, ref: str) -> SeenRepayment:
        """What has become of a repayment."""

    def find_repayment(self, *, repayment_id: UUID, payment_ref: str) -> SeenRepayment | None:
        """Look for a repayment whose reference never reached us, among the payment's."""

    def list_payments(self, *, since: datetime, until: datetime, after: str | None) -> Page[Intent]:
        """Payments, in any state."""

    def list_repayments(
        self, *, since: datetime, until: datetime, after: str | None
    ) -> Page[SeenRepayment]:
        """Repayments, in any state."""


class CardGateway(Gateway, Protocol):
    """What the provider of the web and the app can do besides: customers, cards, its balance."""

    def make_customer(self, *, member_id: UUID) -> str:
        """Answer the reference of a member's customer, the same one when asked again."""

    def set_up_card(self, *, customer_ref: str, method_ref: str) -> Setup:
        """Save a card for charges off session."""

    def get_setup(self, ref: str) -> Setup:
        """What has become of saving a card."""

    def list_of_charge(self, charge_ref: str) -> Sequence[SeenRepayment]:
        """The newest repayments of one charge, a page of them."""

    def get_dispute(self, ref: str) -> SeenDispute:
        """What has become of a dispute."""

    def list_disputes(
        self, *, since: datetime, until: datetime, after: str | None
    ) -> Page[SeenDispute]:
        """Disputes, in any state."""

    def list_balance_transactions(
        self, *, since: datetime, until: datetime, after: str | None
    ) -> Page[SeenTransaction]:
        """Movements of the balance."""

    def list_payouts(
        self, *, since: datetime, until: datetime, after: str | None
    ) -> Page[SeenPayout]:
        """Payouts."""

    def list_paid_out(self, *, payout_ref: str, after: str | None) -> Page[SeenTransaction]:
        """The movements that went out with a payout, without the payout's own."""


_in_use: dict[str, Gateway] = {}


def provider(name: str = CARDS) -> Gateway:
    """A provider by its name, for whoever holds no transaction.

    Raises:
        RuntimeError: a transaction is open.
        TerminalNotSetUp: the card terminals' provider is asked for, and none was configured.
    """
    if transaction.is_open():
        raise RuntimeError("a provider is never called inside a transaction")
    return _in_use.get(name) or _OPEN[name]()


def cards() -> CardGateway:
    """The provider of the web and the app, which is told of customers and their cards."""
    return cast("CardGateway", provider())


def names() -> tuple[str, ...]:
    """The providers that can be asked here."""
    return tuple(name for name in _OPEN if name != TERMINAL or _has_terminal())


def refuse_unless_set_up(name: str) -> None:
    """Refuse a way of being paid that nobody has configured.

    Raises:
        TerminalNotSetUp: the card terminals' provider has no address.
    """
    if name == TERMINAL and not _has_terminal():
        raise TerminalNotSetUp


@contextmanager
def use(gateway: Gateway, name: str = CARDS) -> Iterator[None]:
    """Put another provider in place of a configured one, as tests do."""
    before = _in_use.get(name)
    _in_use[name] = gateway
    try:
        yield
    finally:
        del _in_use[name]
        if before is not None:
            _in_use[name] = before


def _has_terminal() -> bool:
    return TERMINAL in _in_use or config().terminal_api_base is not None


@cache
def _stripe() -> Gateway:
    # It looks for a client for asyncio, of which we have two and use none: 4 MB.
    lean.import_without("stripe", "httpx", "aiohttp")
    from payments.stripe_gateway import StripeGateway  # noqa: PLC0415  400 ms, where it is needed

    return StripeGateway(api_key=config().stripe_api_key, base=config().stripe_api_base)


def _terminal() -> Gateway:
    from payments.terminal_gateway import TerminalGateway  # noqa: PLC0415  where it is needed

    base, key = config().terminal_api_base, config().terminal_api_key
    if base is None or key is None:
        raise TerminalNotSetUp
    return TerminalGateway(base=base, api_key=key)


_OPEN: dict[str, Callable[[], Gateway]] = {CARDS: _stripe, TERMINAL: _terminal}
