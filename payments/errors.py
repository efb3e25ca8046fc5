"""What the room refuses, and the two ways in which the provider does not say yes."""

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


class NoAnswer(Exception):  # noqa: N818  names the state
    """The provider did not answer: what was asked may or may not have happened."""
