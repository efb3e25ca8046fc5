"""What a phone gets to make QR tokens with, and renews each day."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, select

import subs
import vouchers
from kernel.db import db
from kernel.errors import NotFound
from redemption import token
from redemption.models import Credential
from redemption.service.issuing import (
    forget_ended,
    is_live,
    own,
    refuse_if_too_often,
    revoke_beyond,
)

GOOD_FOR = timedelta(hours=24)
LIVE_AT_MOST = 5
"""So many phones of one member can show codes; the oldest falls out."""

MOST_AN_HOUR = 20
OVERLAP = timedelta(minutes=10)
"""What a phone has renewed ends so much later: the answer may have been lost on its way."""

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Issued:
    """A credential with its seed, shown once. `issued_at` lets the phone set its clock."""

    id: bytes
    seed: bytes
    step_seconds: int
    issued_at: datetime
    ends_at: datetime


def issue_credential(*, member_id: UUID, now: datetime) -> Issued:
    """Give a member's phone a new credential for 24 hours.

    Raises:
        RateLimited: there were many within the hour.
    """
    vouchers.change_wallet(member_id)
    return _issue_own(member_id, now=now)


def issue_shared_credential(*, holder_id: UUID, subscription_id: UUID, now: datetime) -> Issued:
    """Give the phone of who shares a plan a credential for 24 hours, which opens only that plan.

    It is good as long as they share it: the till looks at their place too.

    Raises:
        NotFound: they have no place in such a plan.
        RateLimited: there were many within the hour.
    """
    owner_id = subs.lock_place(member_id=holder_id, subscription_id=subscription_id)
    theirs = _shared(holder_id, subscription_id)
    _make_room(theirs, now=now)
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


def renew_credential(*, member_id: UUID, credential_id: bytes, now: datetime) -> Issued:
    """Give a phone a credential, with a seed of its own, in place of the one that it has.

    It stays the same phone, known for as long; the one before ends a little later. A phone whose
    credential is over or revoked is as good as new, and asks for another.

    Raises:
        NotFound: the member has no such phone now.
        RateLimited: there were many within the hour.
    """
    vouchers.change_wallet(member_id)
    live = _own(member_id).where(Credential.id == credential_id, *is_live(now))
    before = db.session.scalar(live)
    if before is None:
        raise NotFound
    before.ends_at = min(before.ends_at, now + OVERLAP)
    return _issue_own(
        member_id, now=now, phone_since=before.phone_since or before.issued_at, name=before.name
    )


def current_code(*, member_id: UUID, now: datetime) -> str:
    """The text that the member's QR shows now, for a page that cannot make it by itself."""
    newest = _own(member_id).where(*is_live(now)).order_by(Credential.issued_at.desc()).limit(1)
    credential = db.session.scalar(newest)
    if credential is None:
        issued = issue_credential(member_id=member_id, now=now)
        return token.make(credential_id=issued.id, seed=issued.seed, step=token.step_at(now))
    seed = token.seed_of(credential.id)
    return token.make(credential_id=credential.id, seed=seed, step=token.step_at(now))


def _own(member_id: UUID) -> Select[Credential]:
    return own("phone").where(Credential.member_id == member_id)


def _shared(holder_id: UUID, subscription_id: UUID) -> Select[Credential]:
    return select(Credential).where(
        Credential.holder_id == holder_id, Credential.subscription_id == subscription_id
    )


def _issue_own(member_id: UUID, *, now: datetime, **phone: object) -> Issued:
    _make_room(_own(member_id), now=now)
    return _issue(
        Credential(
            id=token.new_credential_id(),
            member_id=member_id,
            issued_at=now,
            ends_at=now + GOOD_FOR,
            **phone,
        )
    )


def _make_room(theirs: Select[Credential], *, now: datetime) -> None:
    forget_ended(theirs, now=now)
    refuse_if_too_often(theirs, most=MOST_AN_HOUR, within=_HOUR, now=now)
    revoke_beyond(theirs.where(*is_live(now)), most=LIVE_AT_MOST, now=now)


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
