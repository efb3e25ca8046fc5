"""Plans, subscriptions, their periods, renewal, dunning and renewal statistics."""

from subs.errors import CardInUse, SubscriptionEnded
from subs.queries import Rate, Standing, get_standing, list_rates, list_standings
from subs.service.cancel import cancel, keep
from subs.service.card import change_card
from subs.service.forget_card import forget_card

__all__ = [
    "CardInUse",
    "Rate",
    "Standing",
    "SubscriptionEnded",
    "cancel",
    "change_card",
    "forget_card",
    "get_standing",
    "keep",
    "list_rates",
    "list_standings",
]
