"""What the room refuses."""

from kernel.errors import Conflict, refuse_on


class SubscriptionEnded(Conflict):
    """The subscription was cancelled or lapsed (`ended_as`) and is not revived: buy a new one."""

    code = "subscription-ended"


class CardInUse(Conflict):
    """A subscription is renewed with the card. Facts: `subscription_id`, where it is known."""

    code = "card-in-use"


refuse_on("fk_subscription_card_id_card", CardInUse)
