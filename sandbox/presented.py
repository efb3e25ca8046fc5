"""Cards as their holders give them: by number, by test token, or out of a phone's wallet."""

from dataclasses import dataclass

from sandbox import cards
from sandbox.cards import Card
from sandbox.errors import DeclinedError, StripeError
from sandbox.params import Params

_TOKEN_YEARS = 4  # for how long a card made from a token is valid
_WALLETS = ("apple_pay", "google_pay")


@dataclass(frozen=True)
class Presented:
    """A card as its holder gave it."""

    card: Card
    exp_month: int
    exp_year: int
    gave_cvc: bool
    wallet: str | None = None


def find_presented(name: str, *, year: int) -> Presented | None:
    """The card of a test token.

    At Stripe only a device makes a wallet's token; here a token's name ends in `_apple_pay` or
    `_google_pay` to stand for one: `tok_visa_apple_pay`, `pm_card_tw_google_pay`.
    """
    wallet = next((wallet for wallet in _WALLETS if name.endswith(f"_{wallet}")), None)
    card = cards.find_by_token(name.removesuffix(f"_{wallet}"))
    if card is None:
        return None
    return Presented(
        card=card,
        exp_month=12,
        exp_year=year + _TOKEN_YEARS,
        gave_cvc=wallet is None,
        wallet=wallet,
    )


def read_card(group: Params, *, year: int, month: int) -> Presented:
    """The card in `card[…]`: a test token, or a number with its expiry.

    Raises:
        DeclinedError: the details are not those of a valid card, or of no test card.
    """
    token = group.find_text("token")
    if token is not None:
        presented = find_presented(token, year=year)
        if presented is None:
            raise StripeError(
                f"No such token: '{token[:50]}'", code="resource_missing", param=group.name("token")
            )
        return presented
    number = group.get_text("number").replace(" ", "").replace("-", "")
    exp_month, exp_year = group.get_integer("exp_month"), group.get_integer("exp_year")
    if exp_year < 100:  # noqa: PLR2004  two digits mean this century
        exp_year += 2000
    cvc = group.find_text("cvc")
    _check_expiry(exp_month, exp_year, year=year, month=month)
    if cvc is not None and not (cvc.isascii() and cvc.isdigit() and len(cvc) in {3, 4}):
        raise DeclinedError(
            "Your card's security code is invalid.", code="invalid_cvc", param="cvc"
        )
    return Presented(
        card=_get_by_number(number),
        exp_month=exp_month,
        exp_year=exp_year,
        gave_cvc=cvc is not None,
    )


def _check_expiry(exp_month: int, exp_year: int, *, year: int, month: int) -> None:
    if not 1 <= exp_month <= 12:  # noqa: PLR2004  months
        raise DeclinedError(
            "Your card's expiration month is invalid.",
            code="invalid_expiry_month",
            param="exp_month",
        )
    if exp_year > year + 50 or (exp_year, exp_month) < (year, month):
        raise DeclinedError(
            "Your card's expiration year is invalid.",
            code="invalid_expiry_year",
            param="exp_year",
        )


def _get_by_number(number: str) -> Card:
    if not (number.isascii() and number.isdigit() and _is_luhn(number)):
        raise DeclinedError(
            "Your card number is incorrect.", code="incorrect_number", param="number"
        )
    card = cards.find_by_number(number)
    if card is None:
        raise DeclinedError(
            "Your card was declined: this is test mode, and the card is not a test card.",
            code="card_declined",
            decline_code="test_mode_live_card",
            param="number",
        )
    return card


def _is_luhn(number: str) -> bool:
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in number[-2::-2]]
    return (sum(doubled) + sum(int(digit) for digit in number[-1::-2])) % 10 == 0
