"""Who takes part in the tour, and what each of them holds."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dev.tour.client import Api
from dev.tour.expected import Lot
from dev.tour.phone import Phone


@dataclass(eq=False)
class Shopper:
    """A member with their app.

    `pack`, `plan` and the others are the lots that they hold by our own count; `intents` are the
    provider's names of what they paid by card, by offer.
    """

    name: str
    member_id: str
    phone: str
    api: Api
    pack: Lot = field(init=False)
    plan: Lot = field(init=False)
    gift: Lot = field(init=False)
    one_store: Lot = field(init=False)
    with_end: Lot = field(init=False)
    app: Phone = field(init=False)
    capsule: Mapping[str, Any] = field(init=False)
    subscription_id: str = ""
    counter_order_id: str = ""
    customer: str = ""
    intents: dict[str, str] = field(default_factory=dict)

    def open_app(self) -> Phone:
        """Open the wallet: the phone gets a credential."""
        self.app = Phone(self.api.post("/v1/wallet/credentials"))
        return self.app

    def fresh_code(self) -> str:
        """Open the wallet, and make a code with what it got."""
        return self.open_app().code()

    def wallet(self) -> Any:
        """The sums of all that is held."""
        return self.api.get("/v1/wallet")

    def cups(self, offer: str) -> int:
        """How many cups of an offer the wallet shows."""
        balances = self.wallet()["balances"]
        return sum(balance["left"] for balance in balances if balance["offer"] == offer)

    def newest_lot(self, offer: str) -> Any:
        """The newest lot of an offer that still has cups, or None."""
        lots = self.api.get("/v1/wallet/lots")["items"]
        return next((lot for lot in lots if lot["offer"] == offer), None)

    def happened(self, kind: str) -> list[Any]:
        """Everything of one kind in the wallet's history, the newest first."""
        history = self.api.everything("/v1/wallet/history")
        return [event for event in history if event["kind"] == kind]

    def subscription(self) -> Any:
        """The subscription as its member sees it."""
        return self.api.get(f"/v1/subscriptions/{self.subscription_id}")


@dataclass
class CardHolder:
    """Somebody without an app: all that they hold is on a printed card."""

    card: str
    pack: Lot = field(init=False)


@dataclass(frozen=True)
class Till:
    """A store's device, and who works at it: `staff` is their number, `api` asks as them."""

    store: str
    device_id: str
    device: Api
    staff: str
    api: Api


@dataclass(frozen=True)
class Redeemed:
    """A redemption as it was asked for and answered."""

    till: Till
    key: str
    body: Mapping[str, Any]
    answer: Mapping[str, Any]
    amount: int
    """The money that it moved, by our own count."""

    @property
    def path(self) -> str:
        return f"/v1/redemptions/{self.answer['id']}"


class Chain:
    """The chain's stores, products and offers, by code."""

    def __init__(self, api: Api) -> None:
        stores = api.everything("/v1/stores")
        self.stores = _ids(stores)
        self.store_groups = {store["code"]: store["store_group"] for store in stores}
        self.products = {item["id"]: item["name"] for item in api.everything("/v1/products")}
        offers = [*api.everything("/v1/packs"), *api.everything("/v1/plans")]
        self.offers = {offer["code"]: offer for offer in offers}

    def product_of(self, offer: str) -> str:
        """The id of the drink that a pack or plan is good for."""
        return str(self.offers[offer]["product_ids"][0])


def new_phone_number() -> str:
    """A Taiwanese mobile number, as it is dialled at home."""
    return f"09{random.randint(10_000_000, 88_999_999)}"  # noqa: S311  nobody's secret


def _ids(things: list[Any]) -> dict[str, str]:
    return {thing["code"]: thing["id"] for thing in things}
