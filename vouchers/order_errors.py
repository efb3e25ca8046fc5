"""What is refused when an order is placed, or paid."""

from kernel.errors import Conflict, Forbidden, Invalid


class ChannelNotSold(Conflict):
    """The offer is not sold this way. Facts: `offer_id`, `channel`, and the `channels` it is."""

    code = "channel-not-sold"


class MemberLimit(Conflict):
    """More of the offer than a member may buy. Facts: `offer_id`, `limit`, `held`, `wanted`.

    `held` counts what was bought, and what is ordered and can still be paid.
    """

    code = "member-limit"


class StoreNotSelling(Conflict):
    """The store cannot sell the offer: it is under another law, or nobody owns it.

    Facts: `offer_id`, `store_id`.
    """

    code = "store-not-selling"


class OwnOrder(Forbidden):
    """Staff do not sell to themselves."""

    code = "own-order"


class NoReceiptYet(Conflict):
    """The order was not paid, or its cups are on their way still. Facts: `order_status`."""

    code = "no-receipt-yet"


class IntroductionUsed(Conflict):
    """The member has had the plan meanwhile: a trial or a first price is given once.

    Ordered again, it costs its price. Facts: `offer_id`.
    """

    code = "introduction-used"


class CardWanted(Conflict):
    """The order costs nothing now, but a plan in it does later: leave a card for that."""

    code = "card-wanted"


class NothingToPay(Invalid):
    """The order costs nothing: there is nothing to do in the provider's form."""

    code = "nothing-to-pay"


class WayOfPayingMissing(Invalid):
    """The order costs something, and it was not said how it shall be paid."""

    code = "way-of-paying-missing"


class NotForGiving(Conflict):
    """No periods of the offer can be given. Facts: `offer_id`, and `why`.

    `no_plan`: there are periods of plans only; `free`: it costs nothing; `terms`: by its terms.
    """

    code = "not-for-giving"
