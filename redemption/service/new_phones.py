"""What a phone in its first day gets without its owner's word, where the chain bounds that."""

from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from kernel.config import config
from kernel.db import db
from redemption.code_policy import PHONE_IS_NEW
from redemption.errors import ApprovalNeeded
from redemption.models import Capsule, Credential, Redemption


def refuse_unapproved(
    phone: Credential, *, cups: int, before: Capsule | None, now: datetime
) -> None:
    """Let a phone have a capsule of so many cups; `before` is the wallet's live one, if it has one.

    All phones of the wallet that are new count together, by what was collected with them and by
    their capsules. A till counts the same way, see `redemption.reading`.

    Raises:
        ApprovalNeeded: the phone is new, and this is more than the chain lets it have by itself.
    """
    bound = config().new_device_cups
    is_new = (phone.phone_since or phone.issued_at) > now - PHONE_IS_NEW
    if not bound or not is_new or _approved(phone, now) >= cups:
        return
    free = bound - _collected(phone, now) - _in_capsules(phone, before, now)
    if free < cups:
        raise ApprovalNeeded(free=max(0, free), wanted=cups)


def _approved(phone: Credential, now: datetime) -> int:
    is_good = phone.approved_until is not None and phone.approved_until > now
    return (phone.approved_cups or 0) if is_good else 0


def _collected(phone: Credential, now: datetime) -> int:
    cups = select(func.coalesce(func.sum(Redemption.cups - Redemption.cups_voided), 0))
    by_new = cups.join(Credential, Credential.id == Redemption.credential_id).where(
        Redemption.member_id == phone.member_id,
        Redemption.redeemed_at > now - PHONE_IS_NEW,
        *_is_new(now),
    )
    return int(db.session.scalars(by_new).one())


def _in_capsules(phone: Credential, before: Capsule | None, now: datetime) -> int:
    cups = select(func.coalesce(func.sum(Capsule.cups), 0))
    of_new = cups.join(Credential, Credential.id == Capsule.credential_id).where(
        Capsule.member_id == phone.member_id,
        Capsule.ends_at > now - PHONE_IS_NEW,  # where the index looks
        Capsule.issued_at > now - PHONE_IS_NEW,
        *_is_new(now),
    )
    if before is not None:
        of_new = of_new.where(Capsule.serial != before.serial)
    return int(db.session.scalars(of_new).one())


def _is_new(now: datetime) -> tuple[ColumnElement[bool], ...]:
    since = func.coalesce(Credential.phone_since, Credential.issued_at)
    return (
        Credential.kind == "phone",
        Credential.holder_id.is_(None),
        since > now - PHONE_IS_NEW,
    )
