"""The checks of the books that were run, and what they found, for those who read about them."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy import select

from kernel.db import db
from kernel.errors import NotFound
from ledger.models import BooksCheck, Finding


def list_checks(*, limit: int) -> Sequence[BooksCheck]:
    """The last checks, the latest first."""
    return db.session.scalars(select(BooksCheck).order_by(BooksCheck.id.desc()).limit(limit)).all()


def get_check(check_id: UUID) -> BooksCheck:
    """Raises: NotFound: there is no such check."""
    check = db.session.get(BooksCheck, check_id)
    if check is None:
        raise NotFound
    return check


def findings_of(check_ids: Sequence[UUID]) -> Iterator[Finding]:
    """What checks have found, in the order in which it was found."""
    found = select(Finding).where(Finding.check_id.in_(check_ids)).order_by(Finding.id)
    return iter(db.session.scalars(found.execution_options(yield_per=1_000)))
