"""A member looks after what opens their wallet: names it, approves it, ends it when it is lost."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, update

import vouchers
from kernel.db import db
from kernel.errors import NotFound
from redemption.models import Credential
from redemption.service.capsules import revoke_capsules
from redemption.service.issuing import is_live

APPROVED_FOR = timedelta(minutes=10)


def list_credentials(*, member_id: UUID, now: datetime) -> Sequence[Credential]:
    """One's phones that can show codes, those for plans of others too, the newest first."""
    phones = select(Credential).where(
        _is_theirs(member_id), Credential.kind == "phone", *is_live(now)
    )
    return db.session.scalars(phones.order_by(Credential.issued_at.desc(), Credential.id)).all()


def name_credential(
    *, member_id: UUID, credential_id: bytes, name: str | None, now: datetime
) -> Credential:
    """Give a phone or a card a name to tell it by.

    Raises:
        NotFound: the member has no such phone or card now.
    """
    mine = _get(member_id, credential_id, now=now)
    mine.name = name
    return mine


def approve(*, member_id: UUID, credential_id: bytes, cups: int, now: datetime) -> Credential:
    """Let up to so many cups at a time be collected with it, for ten minutes.

    For one and not for all: a phone that was lost stays as it was. A card cannot be approved.

    Raises:
        NotFound: the member has no such phone or code now.
    """
    mine = _get(member_id, credential_id, now=now)
    if mine.kind == "card":
        raise NotFound
    mine.approved_cups, mine.approved_until = cups, now + APPROVED_FOR
    return mine


def revoke_credential(*, member_id: UUID, credential_id: bytes, now: datetime) -> None:
    """End a phone, a code or a card. Of a phone the wallet's capsules end too. Again is no harm.

    Raises:
        NotFound: the member never had it.
    """
    mine = select(Credential).where(_is_theirs(member_id), Credential.id == credential_id)
    found = db.session.scalar(mine)
    if found is None:
        raise NotFound
    vouchers.change_wallet(found.member_id)
    _end(Credential.id == credential_id, now=now)
    if found.kind == "phone":
        revoke_capsules({member_id}, now=now)  # all phones of a member show the same one


def revoke_everything(*, member_id: UUID, now: datetime) -> None:
    """End all that a member shows at tills: phones, codes, cards and capsules.

    What others collect of a plan that the member shares stays; what the member has for plans of
    others ends.
    """
    wallets = select(Credential.member_id).where(_is_theirs(member_id), *is_live(now))
    vouchers.change_wallets({member_id, *db.session.scalars(wallets)})
    _end(_is_theirs(member_id), now=now)
    revoke_capsules({member_id}, now=now)


def _get(member_id: UUID, credential_id: bytes, *, now: datetime) -> Credential:
    mine = select(Credential).where(
        _is_theirs(member_id), Credential.id == credential_id, *is_live(now)
    )
    found = db.session.scalar(mine.with_for_update())
    if found is None:
        raise NotFound
    return found


def _is_theirs(member_id: UUID) -> ColumnElement[bool]:
    """Of their own wallet, or of a plan of somebody else's that they share."""
    of_wallet = and_(Credential.member_id == member_id, Credential.holder_id.is_(None))
    return or_(of_wallet, Credential.holder_id == member_id)


def _end(which: ColumnElement[bool], *, now: datetime) -> None:
    """The wallet's version has gone up: what a till is about to do with them, it finds refused."""
    ended = update(Credential).where(which, *is_live(now)).values(revoked_at=now)
    db.session.execute(ended)
