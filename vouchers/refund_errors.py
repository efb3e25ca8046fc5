"""What is refused to whoever gives cups back."""

from kernel.errors import Conflict


class NotRefundable(Conflict):
    """These cups do not come back for money. `why`: `terms`, `bonus`, or `unpaid`."""

    code = "not-refundable"


class NothingToRefund(Conflict):
    """There are no unused cups to give back."""

    code = "nothing-to-refund"


class TooFewLeft(Conflict):
    """More cups are given back than a lot has left. Facts: `lot_id`, `left`, `wanted`."""

    code = "too-few-left"


class WholeRestOnly(Conflict):
    """Collected cups count at list price, so a lot comes back whole. Facts: `lot_id`, `left`."""

    code = "whole-rest-only"


class CupsFrozen(Conflict):
    """The cups are held back while their payment is disputed."""

    code = "lot-frozen"


class RefundNotFailed(Conflict):
    """Its money is on its way or has arrived. Facts: `status`."""

    code = "refund-not-failed"
