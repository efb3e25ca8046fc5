"""What the chain may refuse."""

from kernel.errors import Conflict, Forbidden, Invalid, refuse_on


class StoreScope(Forbidden):
    """Right, but for another store than the person's own."""

    code = "store-scope"


class SignInRefused(Invalid):
    """Number, secret or one-time code is wrong: one answer, so that it tells nothing."""

    code = "sign-in-refused"


class LegalEntityExists(Conflict):
    """There is a legal entity of that code."""

    code = "legal-entity-exists"


refuse_on("uq_legal_entity_code", LegalEntityExists)
