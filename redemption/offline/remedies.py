"""Which remedies go with which reason. Pure."""

from redemption.offline import judging, settling

CHARGED, BORNE, DISMISSED = "charged", "borne", "dismissed"

_NOT_CHARGED = frozenset({"capsule-invalid", "capsule-unknown", "capsule-used", "unknown-product"})
"""Nobody's wallet is known to stand for it, or it has given all that the capsule was good for."""


def allowed_for(reason: str) -> tuple[str, ...]:
    """The remedies for an item that waits for a person.

    Cups that are known to have been served are charged or borne; only what a person has to believe
    at all may be said never to have happened.
    """
    charging = () if reason in _NOT_CHARGED else (CHARGED,)
    if reason in settling.OVERDRAWN:
        return (*charging, BORNE)
    return (*charging, BORNE, DISMISSED)


ALL_REASONS = (*judging.REASONS, *settling.REASONS)
