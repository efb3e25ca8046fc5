"""A plan is shared: its owner offers places by links, others take them and leave them again.

The cups stay in the owner's wallet. Every verb locks the subscription's row before it looks at the
places, so that there are never more sharers than places; who leaves is out before the owner's
wallet changes again.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Integer, Select, Uuid, bindparam, column, func, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY

import members
import vouchers
from kernel.db import db
from kernel.errors import NotFound
from kernel.ids import new_id
from subs import sharing_notices, sharing_token
from subs.models import Sharer, Subscription
from subs.service import history
from subs.service.living import lock_live
from subs.service.rows import lock, lock_own, plan_of
from subs.sharing_errors import (
    AlreadySharing,
    InvitationLimit,
    InvitationOver,
    NoPlaceLeft,
    OwnPlan,
    PlanNotShared,
)

GOOD_FOR = timedelta(days=7)
"""How long an invitation can be taken."""

MOST_A_DAY = 40
"""So many invitations to one plan are made within a day, those taken back included."""

_DAY = timedelta(days=1)


def invite(*, member_id: UUID, subscription_id: UUID, now: datetime) -> Sharer:
    """Offer a place in one's plan, to whoever is given the link. An open offer keeps the place.

    Raises:
        NotFound: it is not the member's plan.
        SubscriptionEnded: it is over.
        PlanNotShared: it is for one member only.
        NoPlaceLeft: all places are taken or offered.
        InvitationLimit: that was often enough for a day.
    """
    subscription = lock_live(member_id=member_id, subscription_id=subscription_id)
    places = _places_of(subscription)
    if places == 0:
        raise PlanNotShared
    is_kept = or_(Sharer.joined_at.is_not(None), Sharer.ends_at > now)
    if _count(_there(subscription.id).where(is_kept)) >= places:
        raise NoPlaceLeft(places=places)
    theirs = select(Sharer).where(Sharer.subscription_id == subscription.id)
    if _count(theirs.where(Sharer.invited_at > now - _DAY)) >= MOST_A_DAY:
        raise InvitationLimit(most=MOST_A_DAY)
    place_id = new_id()
    offered = Sharer(
        id=place_id,
        subscription_id=subscription.id,
        token_digest=sharing_token.digest(sharing_token.make(place_id)),
        invited_at=now,
        ends_at=now + GOOD_FOR,
    )
    db.session.add(offered)
    db.session.flush()
    return offered


def join(*, member_id: UUID, token: str, now: datetime) -> Sharer:
    """Take the place that a link offers. Who has taken it is answered the same once more.

    Raises:
        NotFound: the link is of nothing.
        OwnPlan: the plan is the member's own.
        AlreadySharing: they have another place in it.
        InvitationOver: the place is not to be had any more.
        NoPlaceLeft: the plan has fewer places than when it was offered.
    """
    of_link = select(Sharer).where(Sharer.token_digest == sharing_token.digest(token))
    subscription_id = db.session.scalar(of_link.with_only_columns(Sharer.subscription_id))
    if subscription_id is None:
        raise NotFound
    subscription = lock(subscription_id)
    place = db.session.scalars(of_link, execution_options={"populate_existing": True}).one()
    if subscription.member_id == member_id:
        raise OwnPlan
    if place.member_id == member_id and place.left_at is None:
        return place
    if place.left_at is not None or place.joined_at is not None or place.ends_at <= now:
        raise InvitationOver
    taken = _there(subscription.id).where(Sharer.joined_at.is_not(None))
    if _count(taken.where(Sharer.member_id == member_id)):
        raise AlreadySharing
    places = _places_of(subscription)
    if _count(taken) >= places:
        raise NoPlaceLeft(places=places)
    place.member_id, place.joined_at = member_id, now
    db.session.flush()
    history.remark(subscription, "sharer_joined", at=now, sharer_id=str(place.id))
    _tell(subscription.member_id, sharing_notices.JOINED, subscription, place.id, now)
    return place


def leave(*, member_id: UUID, sharer_id: UUID, now: datetime) -> None:
    """Give up one's place in somebody's plan; its owner is told. Once more changes nothing.

    Raises:
        NotFound: the member never had it.
    """
    mine = select(Sharer).where(Sharer.id == sharer_id, Sharer.member_id == member_id)
    subscription_id = db.session.scalar(mine.with_only_columns(Sharer.subscription_id))
    if subscription_id is None:
        raise NotFound
    subscription = lock(subscription_id)
    place = db.session.scalars(mine, execution_options={"populate_existing": True}).one()
    if place.left_at is None:
        _let_one_go(subscription, place, "sharer", now)
        _tell(subscription.member_id, sharing_notices.LEFT, subscription, place.id, now)


def remove(*, member_id: UUID, subscription_id: UUID, sharer_id: UUID, now: datetime) -> None:
    """Take a place in one's plan back, or the offer of one. Once more changes nothing.

    Raises:
        NotFound: it is not the member's plan, or not one of its places.
    """
    subscription = lock_own(member_id=member_id, subscription_id=subscription_id)
    place = db.session.scalar(
        select(Sharer).where(Sharer.id == sharer_id, Sharer.subscription_id == subscription_id),
        execution_options={"populate_existing": True},
    )
    if place is None:
        raise NotFound
    if place.left_at is not None:
        return
    if place.member_id is None:
        place.left_at = now
        db.session.flush()
        return
    _let_one_go(subscription, place, "owner", now)
    _tell(place.member_id, sharing_notices.ENDED, subscription, place.id, now)


def lock_place(*, member_id: UUID, subscription_id: UUID) -> UUID:
    """Answer whose plan it is that a member has a place in; they do not leave it meanwhile.

    Raises:
        NotFound: they have none.
    """
    mine = (
        select(Subscription.member_id)
        .join(Sharer, Sharer.subscription_id == Subscription.id)
        .where(
            Sharer.subscription_id == subscription_id,
            Sharer.member_id == member_id,
            Sharer.left_at.is_(None),
        )
    )
    owner_id = db.session.scalar(mine.with_for_update(of=Sharer))
    if owner_id is None:
        raise NotFound
    return owner_id


def let_go(places: Mapping[Subscription, int], *, now: datetime) -> None:
    """Let who has no place any more go, of plans that have so many from now on: 0 of an ended one.

    The last to have joined go first, offers before them. The caller has locked the subscriptions.
    A few statements, however many they are; more only for those who go.
    """
    if not places:
        return
    of = {subscription.id: subscription for subscription in places}
    asked = {
        "ids": list(of),
        "places": [places[subscription] for subscription in of.values()],
        "now": now,
    }
    gone = db.session.execute(_LET_GO, asked).all()
    joined = [row for row in gone if row.member_id is not None]
    history.write(
        history.remarked(
            of[row.subscription_id], "sharer_left", at=now, sharer_id=str(row.id), by="plan"
        )
        for row in joined
    )
    for row in joined:
        subscription = of[row.subscription_id]
        _tell(row.member_id, sharing_notices.ENDED, subscription, row.id, now)


def _let_one_go(subscription: Subscription, place: Sharer, by: str, now: datetime) -> None:
    """Out at once: a till that has read the owner's wallet before has to look again."""
    vouchers.change_wallet(subscription.member_id)
    place.left_at = now
    db.session.flush()
    history.remark(subscription, "sharer_left", at=now, sharer_id=str(place.id), by=by)


def _tell(
    to: UUID, notice: members.Notice, subscription: Subscription, place_id: UUID, now: datetime
) -> None:
    plan = plan_of(subscription.offer_version_id).version.name
    members.notify(to, notice, now=now, plan=plan, sharer_id=place_id)


def _places_of(subscription: Subscription) -> int:
    return plan_of(subscription.offer_version_id).schedule.sharers


def _there(subscription_id: UUID) -> Select[Sharer]:
    """Places that are taken or offered, also those offered too long ago."""
    return select(Sharer).where(Sharer.subscription_id == subscription_id, Sharer.left_at.is_(None))


def _count(places: Select[Sharer]) -> int:
    return db.session.scalars(places.with_only_columns(func.count())).one()


_OF = (
    func.unnest(bindparam("ids", type_=ARRAY(Uuid)), bindparam("places", type_=ARRAY(Integer)))
    .table_valued(column("subscription_id", Uuid), column("places", Integer), name="of")
    .render_derived()
)
_RANKED = (
    select(
        Sharer.id,
        _OF.c.places,
        func.row_number()
        .over(
            partition_by=Sharer.subscription_id,
            order_by=(Sharer.joined_at.asc().nulls_last(), Sharer.id),
        )
        .label("place"),
    )
    .join(_OF, _OF.c.subscription_id == Sharer.subscription_id)
    .where(Sharer.left_at.is_(None))
    .subquery("ranked")
)
_LET_GO = (
    update(Sharer)
    .where(Sharer.id == _RANKED.c.id, _RANKED.c.place > _RANKED.c.places)
    .values(left_at=bindparam("now"))
    .returning(Sharer.id, Sharer.subscription_id, Sharer.member_id)
    .execution_options(synchronize_session=False)
)
