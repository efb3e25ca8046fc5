"""Every route of the sandbox, and which of them a publishable key may call."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sandbox import (
    balance,
    cardholder,
    charges,
    customers,
    disputes,
    events,
    faults,
    issuer,
    payment_intents,
    payment_methods,
    payouts,
    refunds,
    setup_intents,
    webhook_endpoints,
)
from sandbox.call import Call
from sandbox.store import Document

Endpoint = Callable[[Call], Document]


@dataclass(frozen=True)
class Route:
    """An address with at most one `*`, which stands for an id."""

    method: str
    address: str
    endpoint: Endpoint
    is_open: bool = False
    """Whether a publishable key is enough."""

    def matches(self, method: str, path: str) -> str | None:
        """The id in the path ("" where the address has none), or None for another route."""
        if method != self.method:
            return None
        pattern = re.escape(self.address).replace(r"\*", "([^/]+)")
        match = re.fullmatch(pattern, path)
        if match is None:
            return None
        return match[1] if match.groups() else ""


ROUTES = (
    Route("POST", "/v1/customers", customers.create),
    Route("GET", "/v1/customers", customers.list_customers),
    Route("GET", "/v1/customers/*", customers.retrieve),
    Route("POST", "/v1/customers/*", customers.update),
    Route("GET", "/v1/customers/*/payment_methods", customers.list_payment_methods),
    Route("POST", "/v1/payment_methods", payment_methods.create, is_open=True),
    Route("GET", "/v1/payment_methods", payment_methods.list_methods),
    Route("GET", "/v1/payment_methods/*", payment_methods.retrieve),
    Route("POST", "/v1/payment_methods/*/attach", payment_methods.attach),
    Route("POST", "/v1/payment_methods/*/detach", payment_methods.detach),
    Route("POST", "/v1/setup_intents", setup_intents.create),
    Route("GET", "/v1/setup_intents", setup_intents.list_intents),
    Route("GET", "/v1/setup_intents/*", setup_intents.retrieve, is_open=True),
    Route("POST", "/v1/setup_intents/*/confirm", setup_intents.confirm, is_open=True),
    Route("POST", "/v1/payment_intents", payment_intents.create),
    Route("GET", "/v1/payment_intents", payment_intents.list_intents),
    Route("GET", "/v1/payment_intents/*", payment_intents.retrieve, is_open=True),
    Route("POST", "/v1/payment_intents/*/confirm", payment_intents.confirm, is_open=True),
    Route("POST", "/v1/payment_intents/*/cancel", payment_intents.cancel),
    Route("GET", "/v1/charges", charges.list_charges),
    Route("GET", "/v1/charges/*", charges.retrieve),
    Route("GET", "/v1/balance_transactions", balance.list_transactions),
    Route("GET", "/v1/balance_transactions/*", balance.retrieve),
    Route("GET", "/v1/payouts", payouts.list_payouts),
    Route("GET", "/v1/payouts/*", payouts.retrieve),
    Route("POST", "/v1/refunds", refunds.create),
    Route("GET", "/v1/refunds", refunds.list_refunds),
    Route("GET", "/v1/refunds/*", refunds.retrieve),
    Route("POST", "/v1/refunds/*", refunds.update),
    Route("GET", "/v1/disputes", disputes.list_disputes),
    Route("GET", "/v1/disputes/*", disputes.retrieve),
    Route("POST", "/v1/disputes/*", disputes.update),
    Route("POST", "/v1/disputes/*/close", disputes.close),
    Route("GET", "/v1/events", events.list_events),
    Route("GET", "/v1/events/*", events.retrieve),
    Route("POST", "/v1/webhook_endpoints", webhook_endpoints.create),
    Route("GET", "/v1/webhook_endpoints", webhook_endpoints.list_endpoints),
    Route("GET", "/v1/webhook_endpoints/*", webhook_endpoints.retrieve),
    Route("DELETE", "/v1/webhook_endpoints/*", webhook_endpoints.delete),
    Route("GET", "/v1/test_helpers/faults", faults.retrieve),
    Route("POST", "/v1/test_helpers/faults", faults.configure),
    Route("DELETE", "/v1/test_helpers/faults", faults.reset),
    Route("POST", "/v1/test_helpers/disputes", issuer.open_dispute),
    Route("POST", "/v1/test_helpers/disputes/*/decide", issuer.decide_dispute),
    Route("POST", "/v1/test_helpers/refunds/*/settle", issuer.settle_refund),
    Route(
        "POST",
        "/v1/test_helpers/payment_intents/*/authenticate",
        cardholder.authenticate_payment,
        is_open=True,
    ),
    Route(
        "POST",
        "/v1/test_helpers/setup_intents/*/authenticate",
        cardholder.authenticate_setup,
        is_open=True,
    ),
)


def find_route(method: str, path: str) -> tuple[Route, str] | None:
    """The route of an address, and the id in it."""
    for route in ROUTES:
        path_id = route.matches(method, path)
        if path_id is not None:
            return route, path_id
    return None
