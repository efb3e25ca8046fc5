"""A shopper with the plan, who retries as an app does; and what must be true of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from dev.tour.act1_sign_in import join, sign_in_again
from dev.tour.act2_buy import GOOD_CARD, new_payment_method
from dev.tour.client import Answer, new_key
from dev.tour.party import Shopper
from dev.tour.tour import PLAN, Tour
from kernel import clock
from tests.e2e.installation import Installation, wait

LEASES_ARE_OVER = timedelta(minutes=3)


@dataclass
class Buyer:
    """A member who orders the plan and pays for it, under one key."""

    installation: Installation
    stage: Tour
    shopper: Shopper
    order: Any
    pay_body: dict[str, Any]
    key: str

    def pay(self) -> Answer:
        """Ask to pay, once."""
        path = f"/v1/orders/{self.order['id']}/pay"
        return self.shopper.api.send("POST", path, self.pay_body, key=self.key)

    def pay_patiently(self) -> Answer:
        """Ask again with the same key until there is an answer, as an app does."""

        def attempt() -> Answer | None:
            try:
                answer = self.pay()
            except httpx.HTTPError:
                return None
            return None if answer.status in (409, 503) else answer

        return wait("the payment is answered", attempt)

    def payments(self, known: str) -> int:
        """How many payments of this member have this column: `asked_at`, `settled_at`."""
        where = f"member_id = '{self.shopper.member_id}' AND {known} IS NOT NULL"
        return int(self.installation.ask(f"SELECT count(*) FROM payment WHERE {where}"))

    def paid_charges(self) -> list[int]:
        """What the provider took from this member, in hundredths."""
        recent = self.stage.merchant.get("/v1/charges", limit=100)["data"]
        ours = self.installation.ask(
            f"SELECT coalesce(array_agg(id::text), '{{}}') FROM payment"
            f" WHERE member_id = '{self.shopper.member_id}'"
        )
        return [
            charge["amount"]
            for charge in recent
            if charge["paid"] and charge["metadata"].get("payment_id") in ours
        ]

    def history(self) -> list[tuple[str, int, int]]:
        """What the books tell of this member, the oldest first: kind, cups, money."""
        told = self.shopper.api.everything("/v1/wallet/history")
        return [(one["kind"], one["cups"], one["amount"]["amount"]) for one in reversed(told)]

    def await_period(self, number: int) -> Any:
        """Wait until a period is paid and its cups are in the wallet; answer the subscription."""

        def seen() -> Any:
            page = self.shopper.api.get("/v1/subscriptions")["items"]
            there = page and page[0]["current_period"]["number"] == number
            return page[0] if there and self.shopper.newest_lot(PLAN) else None

        return wait(f"period {number}", seen)

    def await_quiet(self) -> None:
        """Wait until no promise and no event is open any more."""
        for table in ("outbox", "provider_event"):
            question = f"SELECT count(*) FROM {table} WHERE is_open"
            wait(
                f"{table} is done",
                lambda question=question: not self.installation.ask(question) or None,
            )

    def let_month_pass(self, subscription: Any) -> None:
        """Move the clock to just after the present period's end."""
        ends_at = datetime.fromisoformat(subscription["current_period"]["ends_at"])
        clock.advance(ends_at - clock.now() + timedelta(minutes=1))

    def sign_in_again(self) -> None:
        sign_in_again(self.stage, self.shopper)

    def cancel(self, subscription: Any) -> None:
        self.shopper.api.post(f"/v1/subscriptions/{subscription['id']}/cancel", {})


def new_buyer(installation: Installation, stage: Tour) -> Buyer:
    """Somebody who has ordered the plan, and has a good card in their hand."""
    shopper = join(stage, "Alice")
    items = [{"offer_id": stage.chain.offers[PLAN]["id"], "quantity": 1}]
    order = shopper.api.post("/v1/orders", {"items": items})
    body = {"payment_method": new_payment_method(stage, GOOD_CARD), "save_card": True}
    return Buyer(installation, stage, shopper, order, body, new_key())
