"""Why a message did not leave. The words are kept, so they name nobody."""


class NotSent(Exception):  # noqa: N818  names the state
    """A message was not sent; it may be tried again. The cause holds nothing personal."""


class NoMailServer(NotSent):
    """There is a letter to send, and SMTP_URL names no server to send it through."""


class NoMailbox(NotSent):
    """The server refuses the address for good: trying again would not help."""
