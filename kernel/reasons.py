"""Why something broke, in words that may be kept: no row's values, which PostgreSQL quotes."""

from sqlalchemy.exc import DBAPIError

_MOST = 500


def reason_of(problem: BaseException) -> str:
    """The kind of a problem and what it says; of the database's own, its code and constraint."""
    name = type(problem).__name__
    if not isinstance(problem, DBAPIError):
        return f"{name}: {problem}"[:_MOST]
    constraint = getattr(getattr(problem.orig, "diag", None), "constraint_name", None)
    state = getattr(problem.orig, "sqlstate", None)
    return f"{name}: {state or type(problem.orig).__name__} {constraint or ''}".strip()
