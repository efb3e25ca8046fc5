"""“Not me”: a member says that somebody else has collected with their codes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from kernel.db import db
from kernel.errors import NotFound
from redemption import disown_token
from redemption.models import Credential, Redemption
from redemption.service.keeping import revoke_everything


def disown(*, member_id: UUID, redemption_id: UUID, now: datetime) -> None:
    """Say that it was not oneself. All that one shows at tills is over; again changes nothing.

    The redemption stays as it is, undone or not: the store's manager sees it marked.

    Raises:
        NotFound: the member, or whoever they share a plan of, did not collect so.
    """
    found = _find(redemption_id)
    if found is None or found.shown_by_id != member_id:
        raise NotFound
    _disown(found, now=now)


def disown_by_link(*, token: str, now: datetime) -> None:
    """The same, for whoever has the link of the notice.

    Raises:
        NotFound: it is no link of ours.
    """
    redemption_id = disown_token.find_id(token)
    found = None if redemption_id is None else _find(redemption_id)
    if found is None:
        raise NotFound
    _disown(found, now=now)


@dataclass(frozen=True, slots=True)
class _Collected:
    """A redemption, and who has shown the code: of a shared plan whoever shares it."""

    member_id: UUID
    redemption_id: UUID
    shown_by_id: UUID
    is_disowned: bool


def _find(redemption_id: UUID) -> _Collected | None:
    row = db.session.execute(
        select(Redemption.member_id, Credential.holder_id, Redemption.disowned_at)
        .outerjoin(Credential, Credential.id == Redemption.credential_id)
        .where(Redemption.id == redemption_id)
    ).one_or_none()
    if row is None:
        return None
    shown_by_id = row.holder_id or row.member_id
    return _Collected(row.member_id, redemption_id, shown_by_id, row.disowned_at is not None)


def _disown(found: _Collected, *, now: datetime) -> None:
    """Wallets are locked first, as by who undoes a redemption; then the redemption is marked."""
    if found.is_disowned:
        return
    revoke_everything(member_id=found.shown_by_id, now=now)
    mine = (Redemption.member_id == found.member_id, Redemption.id == found.redemption_id)
    db.session.execute(
        update(Redemption).where(*mine, Redemption.disowned_at.is_(None)).values(disowned_at=now)
    )
