"""Making credentials: how often, and how many of a kind are live at a time."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, delete, exists, or_, select, update

from kernel.db import db
from kernel.limits import wait_until
from redemption.models import Credential, Redemption

_KEPT = timedelta(days=7)


def is_live(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """What is true of a credential that opens a wallet now."""
    return (Credential.revoked_at.is_(None), Credential.ends_at > now)


def forget_ended(theirs: Select[Credential], *, now: datetime) -> None:
    """Delete those that ended a week ago: a phone renews each day, for years.

    Those that cups were collected with stay: they say who has shown them. A code that is read aloud
    says nothing, and goes.

    Called under the wallet's lock.
    """
    is_used = exists().where(
        Redemption.member_id == Credential.member_id, Redemption.credential_id == Credential.id
    )
    ended = theirs.with_only_columns(Credential.id).where(
        Credential.ends_at < now - _KEPT, or_(Credential.kind == "code", ~is_used)
    )
    db.session.execute(delete(Credential).where(Credential.id.in_(ended)))


def refuse_if_too_often(
    made: Select[Credential], *, most: int, within: timedelta, now: datetime
) -> None:
    """Refuse to make one more of those, if `most` were made within the last so long.

    Called under the wallet's lock, so that many askers at once are counted too.

    Raises:
        RateLimited: with the seconds until there may be another.
    """
    lately = made.where(Credential.issued_at > now - within).order_by(Credential.issued_at.desc())
    first = db.session.scalar(
        lately.with_only_columns(Credential.issued_at).offset(most - 1).limit(1)
    )
    if first is not None:
        raise wait_until(first + within, now=now)


def revoke_beyond(live: Select[Credential], *, most: int, now: datetime) -> None:
    """Make room for one more among those that are live: the oldest fall out."""
    newest = live.order_by(Credential.issued_at.desc(), Credential.id)
    too_many = [credential.id for credential in db.session.scalars(newest.offset(most - 1))]
    if too_many:
        revoke = update(Credential).where(Credential.id.in_(too_many)).values(revoked_at=now)
        db.session.execute(revoke)


def own(kind: str) -> Select[Credential]:
    """Credentials of a kind that open all that a member holds, to be narrowed to one member."""
    return select(Credential).where(Credential.kind == kind, Credential.holder_id.is_(None))
