"""What the room refuses."""

from kernel.errors import Conflict, Invalid, refuse_on


class SubscriptionEnded(Conflict):
    """The subscription was cancelled or lapsed (`ended_as`) and is not revived: buy a new one."""

    code = "subscription-ended"


class CardInUse(Conflict):
    """A subscription is renewed with the card. Facts: `subscription_id`, where it is known."""

    code = "card-in-use"


class ScheduleUnsound(Invalid):
    """Terms of a plan contradict one another. Facts: `terms`, what is wrong by the term's name."""

    code = "schedule-unsound"


class RenewalUnderWay(Conflict):
    """The next period is being charged at this moment: what comes of that is known soon."""

    code = "renewal-under-way"


class PauseNotOffered(Conflict):
    """The plan is not one that may be paused."""

    code = "pause-not-offered"


class PauseNotNow(Conflict):
    """Only an active subscription may be paused; this one is (`state`) something else."""

    code = "pause-not-now"


class PauseDays(Conflict):
    """A pause may last until one of the days from `first_on` to `last_on`."""

    code = "pause-days"


class PauseBegun(Conflict):
    """The pause has begun: it is not withdrawn, but may be ended."""

    code = "pause-begun"


class NotPaused(Conflict):
    """The subscription (`state`) does not rest, so there is nothing to resume."""

    code = "not-paused"


refuse_on("fk_subscription_card_id_card", CardInUse)
refuse_on("fk_voucher_order_card_id_card", CardInUse)  # of an order whose plan is about to begin
