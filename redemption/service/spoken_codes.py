"""The code that is read aloud where a QR cannot be scanned: eight signs, for a minute, once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

import vouchers
from kernel import spoken
from kernel.db import db
from redemption import token
from redemption.models import Credential
from redemption.service.issuing import forget_ended, is_live, own, refuse_if_too_often

GOOD_FOR = timedelta(seconds=60)
MOST_AN_HOUR = 30

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SpokenCode:
    """A code, shown this once: what is kept of it is a MAC. `id` approves it, or revokes it."""

    id: bytes
    code: str
    ends_at: datetime


def issue_spoken_code(*, member_id: UUID, now: datetime) -> SpokenCode:
    """Make a code to be read aloud; the member's earlier ones are over.

    Raises:
        RateLimited: there were many within the hour.
    """
    vouchers.change_wallet(member_id)
    theirs = own("code").where(Credential.member_id == member_id)
    forget_ended(theirs, now=now)
    refuse_if_too_often(theirs, most=MOST_AN_HOUR, within=_HOUR, now=now)
    earlier = (Credential.member_id == member_id, Credential.kind == "code", *is_live(now))
    db.session.execute(update(Credential).where(*earlier).values(revoked_at=now))
    ends_at = now + GOOD_FOR
    while True:  # once, unless somebody had these eight signs before
        code = spoken.new_code()
        credential_id = token.id_of_spoken(code)
        row = insert(Credential).values(
            id=credential_id, member_id=member_id, kind="code", issued_at=now, ends_at=ends_at
        )
        fresh = row.on_conflict_do_nothing().returning(Credential.id)
        if db.session.scalar(fresh) is not None:
            return SpokenCode(credential_id, code, ends_at)
