"""Refusals: what the business may answer instead of doing what was asked.

Three families, and no word about HTTP: `api/errors.py` alone knows both. Anything that is not a
refusal is a bug and stays one.
"""

from typing import Any, ClassVar


class Refusal(Exception):  # noqa: N818  a refusal is an answer, not a malfunction
    """A clear no, with a `code` for machines and typed `facts` for the message.

    `code` is the slug of the problem (`insufficient-cups`); `facts` are JSON values;
    `is_replayed` says that an idempotency key brought an earlier no back.
    """

    code: ClassVar[str]

    def __init__(self, **facts: Any) -> None:
        super().__init__(self.code, facts)
        self.facts = facts
        self.is_replayed = False


class NotFound(Refusal):
    """It is not there, or it is somebody else's: the same answer, so that nothing leaks."""

    code = "not-found"


class Conflict(Refusal):
    """Right in itself, but not as things stand now."""


class Invalid(Refusal):
    """Wrong in itself, whatever the state."""


class Unauthenticated(Refusal):
    """Nobody we know: no token, or one that is unknown, over, or revoked. All look the same."""

    code = "unauthenticated"


class Forbidden(Refusal):
    """Known, but not allowed to."""

    code = "forbidden"


class RateLimited(Refusal):
    """Too often. Facts: `retry_after`, in seconds."""

    code = "rate-limited"


class TryAgain(Exception):  # noqa: N818  a bounded retry, not a malfunction
    """The database chose another transaction (40001, 40P01): run the whole work again."""


class Unavailable(Exception):  # noqa: N818  names the state
    """PostgreSQL cannot be reached or cannot write now; what was asked did not happen."""


_by_constraint: dict[str, type[Refusal]] = {}


def refuse_on(constraint: str, refusal: type[Refusal]) -> None:
    """Say what a violated constraint means to the business."""
    _by_constraint[constraint] = refusal


def refusal_for(constraint: str | None) -> Refusal | None:
    """Answer the refusal that a violated constraint stands for, if any."""
    kind = _by_constraint.get(constraint or "")
    return kind() if kind else None
