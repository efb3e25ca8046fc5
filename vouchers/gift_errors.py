"""What is refused about gifts."""

from kernel.errors import Conflict, Invalid, NotFound


class GiftNotFound(NotFound):
    """No gift for this person: unknown, forged, closed, or between two who are blocked."""

    code = "gift-not-found"


class GiftClaimed(Conflict):
    """Somebody has claimed the gift."""

    code = "gift-claimed"


class GiftEnded(Conflict):
    """The gift can be claimed no more: its time is over, or it went back. Facts: `ended_at`."""

    code = "gift-ended"


class NotGiftable(Conflict):
    """These cups were sold on terms that do not let them be given on."""

    code = "not-giftable"


class OfferNotNamed(Invalid):
    """The member holds cups of several offers, and did not say of which to give."""

    code = "offer-not-named"


class GiftLimit(Conflict):
    """So many gifts a member may have `open`, or make in a `day`. Facts: `limit`, `most`."""

    code = "gift-limit-reached"


class TooFewToGive(Conflict):
    """The member holds fewer cups that can be given. Facts: `held`, `wanted`."""

    code = "insufficient-cups"


class GivenCupsFrozen(Conflict):
    """The cups are frozen while their payment is disputed."""

    code = "lot-frozen"


class GiverBlocked(Conflict):
    """A blocked wallet gives nothing: whoever has the phone may not be its member."""

    code = "wallet-blocked"
