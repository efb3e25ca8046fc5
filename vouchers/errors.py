"""What the room refuses."""

from kernel.errors import Conflict, Invalid


class NotOnSale(Conflict):
    """The offer is not sold at this moment."""

    code = "not-on-sale"


class MixedCurrencies(Invalid):
    """An order is paid at once, so in one currency."""

    code = "mixed-currencies"


class OrderTooLarge(Invalid):
    """The order costs more than one payment can be. `most` is in minor units."""

    code = "order-too-large"


class AlreadyPaid(Conflict):
    """The order is paid; it is not paid twice."""

    code = "already-paid"


class OrderEnded(Conflict):
    """The order was not paid in time. Place it again."""

    code = "order-ended"


class PaymentGivenUp(Conflict):
    """The attempt was given up before anybody was asked for its money: a racer paid otherwise."""

    code = "payment-given-up"


class PaymentDeclined(Conflict):
    """The card was refused. The order stays open for another one, with a new key."""

    code = "payment-declined"
