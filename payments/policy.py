"""What may follow on what, and what a refusal means. Pure rules."""

from datetime import datetime, timedelta
from uuid import UUID

# The provider counts some currencies finer than we do, although nobody can pay the difference;
# to the bank it sends them whole (https://docs.stripe.com/currencies#special-cases).
FINER_AT_PROVIDER = {"ISK": 100, "TWD": 100, "UGX": 100}

OPEN = frozenset({"intent", "requires_action", "processing"})
PAID = frozenset({"succeeded", "surplus"})

NEVER_ASKED = "never_asked"
NEVER_ARRIVED = "never_arrived"
GIVEN_UP = "given_up"
AUTHENTICATION_REQUIRED = "authentication_required"

# An intent that failed can be confirmed again by its holder, with the secret of the first time,
# so money may still come. Nothing else is ever taken back.
_FORWARD = {
    "intent": {"processing", "requires_action", "succeeded", "failed", "cancelled"},
    "processing": {"requires_action", "succeeded", "failed", "cancelled"},
    "requires_action": {"processing", "succeeded", "failed", "cancelled"},
    "failed": {"succeeded"},
}

# What the networks forbid to try again, and what cannot become better by waiting.
# https://docs.stripe.com/declines/codes
_HARD = frozenset(
    {
        "account_closed",
        "card_not_supported",
        "do_not_try_again",
        "expired_card",
        "fraudulent",
        "highest_risk_level",
        "incorrect_number",
        "invalid_account",
        "invalid_number",
        "lost_card",
        "merchant_blacklist",
        "payment_method_unusable",
        "pickup_card",
        "resource_missing",
        "restricted_card",
        "revocation_of_all_authorizations",
        "revocation_of_authorization",
        "stolen_card",
        "stop_payment_order",
        "transaction_not_allowed",
    }
)

# Whoever holds a stolen card must not learn that it is known to be.
_NOT_FOR_THE_HOLDER = frozenset(
    {"fraudulent", "highest_risk_level", "lost_card", "merchant_blacklist", "pickup_card"}
    | {"restricted_card", "stolen_card"}
)

_NO_CHARGE = {
    "refund": "refund_not_ours",
    "dispute": "dispute_not_ours",
    "fee": "provider_fee",
}

# A bank can send back what had arrived.
_RETURNING = {
    "intent": {"processing", "succeeded", "failed"},
    "processing": {"succeeded", "failed"},
    "succeeded": {"failed"},
}

_FIRST_LOOK = timedelta(seconds=60)
_AT_COUNTER, _CLERK_WAITS_FOR = timedelta(seconds=2), timedelta(minutes=3)
_FIRST_REPAYMENT_LOOK = timedelta(seconds=15)
_SURPLUS_RESTS, _SURPLUS_ATTEMPTS = timedelta(days=1), 7
_LAST_LOOK = timedelta(hours=1)
_KEY_IS_KNOWN_FOR = timedelta(hours=23)
_HOLDER_WAITS_FOR = timedelta(minutes=30)
_LATE_ARRIVAL = timedelta(minutes=10)


def at_provider(amount: int, currency: str) -> int:
    """An amount in minor units of ours, in the provider's."""
    return amount * FINER_AT_PROVIDER.get(currency, 1)


def cause_of_theirs(*, kind: str, ours: str | None, is_second: bool) -> str:
    """Why a movement at the provider has no payment of the same month beside it.

    `ours` is the status of the payment that it names, if there is one; `is_second` says that the
    payment has a charge beside it already.
    """
    if kind != "charge":
        return _NO_CHARGE.get(kind, "other_movement")
    if is_second:
        return "charged_twice"
    if ours is None:
        return "unknown_to_us"
    if ours in PAID:
        return "ours_in_other_month"
    return "open_with_us" if ours in OPEN else "failed_with_us"


def cause_of_payout(
    *, difference_minor: int, currency: str, is_itemised: bool, is_listed: bool
) -> str | None:
    """Why the sum of what went out with a payout is not, or not yet, its amount."""
    if not is_itemised:
        return "not_itemised"
    if not is_listed:
        return "not_listed_yet"
    if difference_minor == 0:
        return None
    is_fraction = abs(difference_minor) < FINER_AT_PROVIDER.get(currency, 1)
    return "fraction_carried" if is_fraction else "items_differ"


def moved(current: str, seen: str) -> str:
    """The status after the provider was seen to say `seen`: forward, or as it was.

    So the same end is reached in whatever order, and however often, news arrives.
    """
    return seen if seen in _FORWARD.get(current, ()) else current


def in_form(seen: str) -> str:
    """What the status of a payment in the payer's own form means to us.

    As long as the form can be filled in, the payment waits for its payer, however many cards were
    refused in it.
    """
    return "requires_action" if seen in ("intent", "failed") else seen


def returned(current: str, seen: str) -> str:
    """The status of a repayment after the provider was seen to say `seen`."""
    return seen if seen in _RETURNING.get(current, ()) else current


def decided(current: str, seen: str) -> str:
    """The status of a dispute after it was seen to be `seen`: decided is never open again."""
    return current if seen == "open" else seen


def is_final(failure: str | None) -> bool:
    """Whether trying the same card again is useless or forbidden (a hard decline)."""
    return failure in _HARD


def told(failure: str | None) -> str:
    """The reason that the cardholder may hear."""
    if failure is None or failure in _NOT_FOR_THE_HOLDER:
        return "generic_decline"
    return failure


def next_look_at(*, age: timedelta, now: datetime, is_at_counter: bool = False) -> datetime:
    """When to ask the provider again what became of a payment: the older, the more seldom.

    At the counter a clerk waits for it, and nothing tells us unasked.
    """
    if is_at_counter and age < _CLERK_WAITS_FOR:
        return now + _AT_COUNTER
    return now + min(max(age, _FIRST_LOOK), _LAST_LOOK)


def next_repayment_look_at(*, age: timedelta, now: datetime) -> datetime:
    """When to ask again about a repayment: nobody waits for it, but money is owed."""
    return now + min(max(age, _FIRST_REPAYMENT_LOOK), _LAST_LOOK)


def surplus_again_at(*, attempts: int, now: datetime) -> datetime | None:
    """When to try once more to give back what nobody had to pay; None after a week of trying."""
    return now + _SURPLUS_RESTS if attempts < _SURPLUS_ATTEMPTS else None


def may_repeat(*, age: timedelta, is_off_session: bool) -> bool:
    """Whether to ask for the money once more, where no answer came; else it is only looked for.

    The age is that of the first asking by the provider's clock, which is everybody's.

    As long as the provider surely still knows the key: it forgets after 24 hours. On session, as
    long as its holder may still wait: after an outage nobody is charged for what they gave up.
    Money that is owed to a payer is like a charge off session.
    """
    return age < (_KEY_IS_KNOWN_FOR if is_off_session else _HOLDER_WAITS_FOR)


def may_still_arrive(*, age: timedelta) -> bool:
    """Whether a request that was never answered could still be under way."""
    return age < _LATE_ARRIVAL


def first_id(at: datetime) -> UUID:
    """Below every id that is made from a moment on: ids begin with their milliseconds."""
    return UUID(int=int(at.timestamp() * 1_000) << 80)
