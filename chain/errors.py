"""What the chain may refuse."""

from kernel.errors import Forbidden, Invalid


class StoreScope(Forbidden):
    """Right, but for another store than the person's own."""

    code = "store-scope"


class SignInRefused(Invalid):
    """Number, secret or one-time code is wrong: one answer, so that it tells nothing."""

    code = "sign-in-refused"
