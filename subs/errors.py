"""What the room refuses."""

from kernel.errors import Conflict


class SubscriptionEnded(Conflict):
    """The subscription was cancelled or lapsed (`ended_as`) and is not revived: buy a new one."""

    code = "subscription-ended"
