"""What a phone gets to make QR tokens with."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, select, update

import subs
import vouchers
from kernel.db import db
from redemption import token
from redemption.models import Credential

GOOD_FOR = timedelta(hours=24)
LIVE_AT_MOST = 5
"""So many phones of one member can show codes; the oldest falls out."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A credential with its seed, shown once. `issued_at` lets the phone set its clock."""

    id: bytes
    seed: bytes
    step_seconds: int
    issued_at: datetime
    ends_at: datetime


def issue_credential(*, member_id: UUID, now: datetime) -> Issued:
    """Give a member's phone a new credential for 24 hours."""
    vouchers.change_wallet(member_id)
    _revoke_beyond(_live(member_id, now), now=now)
    return _issue(
        Credential(
            id=token.new_credential_id(), member_id=member_id, issued_at=now, ends_at=now + GOOD_FOR
        )
    )


def issue_shared_credential(*, holder_id: UUID, subscription_id: UUID, now: datetime) -> Issued:
    """Give the phone of who shares a plan a credential for 24 hours, which opens only that plan.

    It is good as long as they share it: the till looks at their place too.

    Raises:
        NotFound: they have no place in such a plan.
    """
    owner_id = subs.lock_place(member_id=holder_id, subscription_id=subscription_id)
    _revoke_beyond(_live_shared(holder_id, subscription_id, now), now=now)
    return _issue(
        Credential(
            id=token.new_credential_id(),
            member_id=owner_id,
            holder_id=holder_id,
            subscription_id=subscription_id,
            issued_at=now,
            ends_at=now + GOOD_FOR,
        )
    )


def current_code(*, member_id: UUID, now: datetime) -> str:
    """The text that the member's QR shows now, for a page that cannot make it by itself."""
    newest = _live(member_id, now).order_by(Credential.issued_at.desc()).limit(1)
    credential = db.session.scalar(newest)
    if credential is None:
        issued = issue_credential(member_id=member_id, now=now)
        return token.make(credential_id=issued.id, seed=issued.seed, step=token.step_at(now))
    seed = token.seed_of(credential.id)
    return token.make(credential_id=credential.id, seed=seed, step=token.step_at(now))


def _live(member_id: UUID, now: datetime) -> Select[Credential]:
    return select(Credential).where(
        Credential.member_id == member_id,
        Credential.holder_id.is_(None),
        Credential.revoked_at.is_(None),
        Credential.ends_at > now,
    )


def _live_shared(holder_id: UUID, subscription_id: UUID, now: datetime) -> Select[Credential]:
    return select(Credential).where(
        Credential.holder_id == holder_id,
        Credential.subscription_id == subscription_id,
        Credential.revoked_at.is_(None),
        Credential.ends_at > now,
    )


def _revoke_beyond(live: Select[Credential], *, now: datetime) -> None:
    """Make room for one more among those that are live."""
    newest = live.order_by(Credential.issued_at.desc(), Credential.id)
    theirs = newest.offset(LIVE_AT_MOST - 1)
    too_many = [credential.id for credential in db.session.scalars(theirs)]
    if too_many:
        revoke = update(Credential).where(Credential.id.in_(too_many)).values(revoked_at=now)
        db.session.execute(revoke)


def _issue(credential: Credential) -> Issued:
    db.session.add(credential)
    db.session.flush()
    return Issued(
        id=credential.id,
        seed=token.seed_of(credential.id),
        step_seconds=token.STEP_S,
        issued_at=credential.issued_at,
        ends_at=credential.ends_at,
    )
