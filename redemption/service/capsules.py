"""Capsules: cups that a phone may collect where neither it nor the till is online."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, any_, exists, or_, select, update

import chain
import vouchers
from chain.models import Store
from kernel.db import db
from kernel.errors import NotFound
from kernel.limits import wait_until
from redemption import token
from redemption.errors import InsufficientCups, WalletBlocked
from redemption.models import Capsule, Credential, OfflineItem, Redemption
from redemption.service.issuing import is_live, own
from redemption.service.new_phones import refuse_unapproved
from vouchers.models import Lot, OfferVersion, OfferVersionStore, Wallet

GOOD_FOR = timedelta(hours=24)
MOST_CUPS = 2
MOST_A_DAY = 10

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Filled:
    """A capsule as a phone gets it: the chain's bytes, and the seed that shows them."""

    capsule: Capsule
    sealed: bytes
    seed: bytes


def issue_capsule(
    *,
    member_id: UUID,
    credential_id: bytes,
    store_id: UUID,
    cups: int,
    now: datetime,
    shown_at: datetime | None = None,
) -> Filled:
    """Give a member's phone a capsule for the group of stores that a store is in.

    The wallet has one at a time: while that is good and nothing is known to be taken by it, it is
    given again, whatever is asked for. It is good for a day, or until the cups end. Nothing is set
    aside. `shown_at` is when by the clock of tills and phones, where the wallet's is another.

    Raises:
        NotFound: there is no such store, or the member has no such phone now.
        WalletBlocked: the wallet is blocked.
        ApprovalNeeded: the phone is new, and the chain bounds what such a one may have.
        InsufficientCups: fewer cups are held that those stores take and that cost nothing more.
        RateLimited: there were many within the day.
    """
    shown_at = shown_at or now
    store_group = chain.get_store(store_id).offline_group
    if vouchers.change_wallet(member_id).blocked_at is not None:
        raise WalletBlocked
    phone = _phone(member_id, credential_id, now=shown_at)
    before = db.session.scalar(_live(member_id, shown_at))
    if before is not None and not _is_used(before):
        refuse_unapproved(phone, cups=before.cups, before=before, now=shown_at)
        return filled(before)
    good_for = _good_for(member_id, store_group, cups=cups, now=now)
    _refuse_if_too_often(member_id, now=shown_at)
    refuse_unapproved(phone, cups=cups, before=None, now=shown_at)
    if before is not None:
        before.revoked_at = shown_at
    return filled(
        _made(member_id, credential_id, cups, store_group, now=shown_at, good_for=good_for)
    )


def filled(capsule: Capsule) -> Filled:
    """What a phone gets of a capsule: the same each time."""
    sealed = token.make_capsule(
        serial=capsule.serial,
        cups=capsule.cups,
        store_group=capsule.store_group,
        issued_at=capsule.issued_at,
        ends_at=capsule.ends_at,
    )
    return Filled(capsule, sealed, token.capsule_seed(capsule.serial))


def list_revoked(*, now: datetime) -> Sequence[bytes]:
    """The serials that no till takes any more though their end is ahead."""
    ahead = select(Capsule.serial).where(Capsule.ends_at > now)
    of_blocked = ahead.join(Wallet, Wallet.member_id == Capsule.member_id).where(
        Wallet.blocked_at.is_not(None)
    )
    revoked = ahead.where(Capsule.revoked_at.is_not(None))
    return sorted(db.session.scalars(revoked.union(of_blocked)))


def revoke_capsules(member_ids: Collection[UUID], *, now: datetime) -> None:
    """End the capsules of members: a phone was lost, or cups went back for money or are held."""
    theirs = update(Capsule).where(Capsule.member_id.in_(member_ids), *_is_open(now))
    db.session.execute(theirs.values(revoked_at=now))


def _is_open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (Capsule.revoked_at.is_(None), Capsule.ends_at > now)


def _live(member_id: UUID, now: datetime) -> Select[Capsule]:
    live = select(Capsule).where(Capsule.member_id == member_id, *_is_open(now))
    return live.order_by(Capsule.issued_at.desc()).limit(1)


def _is_used(capsule: Capsule) -> bool:
    """Whether a till, online or by an upload, is known to have taken it."""
    online = exists().where(
        Redemption.member_id == capsule.member_id, Redemption.credential_id == capsule.serial
    )
    offline = exists().where(
        OfflineItem.member_id == capsule.member_id, OfflineItem.serial == capsule.serial
    )
    return bool(db.session.scalar(select(or_(online, offline))))


def _phone(member_id: UUID, credential_id: bytes, *, now: datetime) -> Credential:
    mine = (Credential.id == credential_id, Credential.member_id == member_id)
    phone = db.session.scalar(own("phone").where(*mine, *is_live(now)))
    if phone is None:
        raise NotFound
    return phone


def _refuse_if_too_often(member_id: UUID, *, now: datetime) -> None:
    lately = select(Capsule.issued_at).where(
        # A capsule ends within a day: those that were made within one are where the index looks.
        Capsule.member_id == member_id,
        Capsule.ends_at > now - _DAY,
        Capsule.issued_at > now - _DAY,
    )
    first = db.session.scalar(
        lately.order_by(Capsule.issued_at.desc()).offset(MOST_A_DAY - 1).limit(1)
    )
    if first is not None:
        raise wait_until(first + _DAY, now=now)


def _good_for(member_id: UUID, store_group: int, *, cups: int, now: datetime) -> timedelta:
    """How long so many cups that fit will be there: the longest-lived ones decide."""
    held = 0
    for left, ends_at, is_unlimited in db.session.execute(
        _fitting(member_id, store_group, now=now)
    ):
        held += cups if is_unlimited else left
        if held >= cups:
            return GOOD_FOR if ends_at is None else min(GOOD_FOR, ends_at - now)
    raise InsufficientCups(held=held, wanted=cups)


def _fitting(
    member_id: UUID, store_group: int, *, now: datetime
) -> Select[int, datetime | None, bool]:
    """Lots that some store of the group takes cups from for nothing more, the longest first."""
    mine = (
        select(Lot.units - Lot.used, Lot.ends_at, OfferVersion.is_unlimited)
        .join(OfferVersion, OfferVersion.id == Lot.offer_version_id)
        .where(
            Lot.member_id == member_id,
            Lot.is_open,
            ~Lot.prepays_plan,
            Lot.frozen_at.is_(None),
            or_(Lot.ends_at.is_(None), Lot.ends_at > now),
            or_(Lot.units > 0, OfferVersion.is_unlimited),
            _is_accepted(store_group),
        )
    )
    return mine.order_by(Lot.ends_at.desc().nulls_first())


def _is_accepted(store_group: int) -> ColumnElement[bool]:
    listed = exists().where(
        OfferVersionStore.offer_version_id == OfferVersion.id,
        OfferVersionStore.store_id == Store.id,
    )
    accepts = or_(
        OfferVersion.accepted_at == "all",
        (OfferVersion.accepted_at == "selling") & (Store.id == Lot.store_id),
        (OfferVersion.accepted_at == "regions")
        & (Store.region == any_(OfferVersion.accepted_regions)),
        (OfferVersion.accepted_at == "listed") & listed,
    )
    return exists().where(Store.offline_group == store_group, accepts)


def _made(
    member_id: UUID,
    credential_id: bytes,
    cups: int,
    store_group: int,
    *,
    now: datetime,
    good_for: timedelta,
) -> Capsule:
    made = Capsule(
        serial=secrets.token_bytes(8),
        member_id=member_id,
        credential_id=credential_id,
        cups=cups,
        store_group=store_group,
        key_id=token.id_of_window(token.window_at(now)),
        issued_at=now,
        ends_at=(now + good_for).replace(microsecond=0),  # its bytes have whole seconds
    )
    db.session.add(made)
    db.session.flush()
    return made
