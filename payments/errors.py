"""What the room refuses, and the ways in which a provider does not say yes."""

from kernel.errors import Conflict, Invalid


class SignatureInvalid(Invalid):
    """A provider event that is not signed by the provider, not from now, or not an event."""

    code = "signature-invalid"


class CardDeclined(Conflict):
    """The card is refused. `decline_code` is the reason that the cardholder may hear."""

    code = "card-declined"


class CardNeedsAuthentication(Conflict):
    """The card is saved once its holder has authenticated, with `client_secret`."""

    code = "card-needs-authentication"


class TerminalNotSetUp(Conflict):
    """Card terminals are not connected to this installation."""

    code = "terminal-not-set-up"


class PaymentUnderWay(Conflict):
    """Another payment for the same was begun and may still succeed. Facts: `payment_id`."""

    code = "payment-under-way"


class NothingLeft(Conflict):
    """More is to be given back than is left of the payment. Facts: `left`, `wanted`."""

    code = "nothing-left"


class ShiftClosed(Conflict):
    """The shift's money was counted: nothing is taken or handed out in its name any more."""

    code = "shift-closed"


class HandedOut(Conflict):
    """The cash was handed out before, perhaps at another till."""

    code = "handed-out"


class CountUnexplained(Invalid):
    """The drawer holds another sum than was recorded, and nobody says why.

    Facts: `currency`, `expected`, `counted`, in minor units.
    """

    code = "count-unexplained"


class NoAnswer(Exception):  # noqa: N818  names the state
    """The provider did not answer: what was asked may or may not have happened."""


class UnknownToProvider(Exception):  # noqa: N818  names the state
    """The provider has nothing of that reference."""
