"""What is refused when an order is placed."""

from kernel.errors import Conflict, Forbidden


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
