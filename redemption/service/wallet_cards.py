"""Cards: a QR that is printed and stays the same, for those without a phone at hand.

Whoever has the card can use it, so a till hands over little at a time for one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, update

import members
import vouchers
from kernel.db import db
from kernel.errors import NotFound, RateLimited
from members import CodeWrong
from redemption import token
from redemption.models import Credential
from redemption.service.issuing import is_live, own, refuse_if_too_often, revoke_beyond

GOOD_FOR = timedelta(days=365)
LIVE_AT_MOST = 2
MOST_A_DAY = 5

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class WalletCard:
    """A card and what is printed on it."""

    id: bytes
    code: str
    name: str | None
    issued_at: datetime
    ends_at: datetime


def issue_wallet_card(*, member_id: UUID, name: str | None, now: datetime) -> WalletCard:
    """Make a card of one's own for a year. Of more than two the oldest is over.

    Raises:
        RateLimited: there were many within the day.
    """
    vouchers.change_wallet(member_id)
    revoke_beyond(_of(member_id).where(*is_live(now)), most=LIVE_AT_MOST, now=now)
    return _issue(member_id, name=name, now=now)


def issue_card_at_till(
    *, challenge_id: UUID, code: str, now: datetime
) -> WalletCard | CodeWrong | RateLimited:
    """Make a card for whoever has read the code on their phone to the clerk; earlier ones are over.

    Refusals of the code are answered, not raised, see `members.prove_phone`. The first time, this
    makes the member.

    Raises:
        RateLimited: there were many within the day.
    """
    proved = members.prove_phone(challenge_id=challenge_id, code=code, purpose="card", now=now)
    if not isinstance(proved, members.Proved):
        return proved
    vouchers.change_wallet(proved.member_id)
    earlier = (Credential.member_id == proved.member_id, Credential.kind == "card", *is_live(now))
    db.session.execute(update(Credential).where(*earlier).values(revoked_at=now))
    return _issue(proved.member_id, name=None, now=now)


def list_wallet_cards(*, member_id: UUID, now: datetime) -> list[WalletCard]:
    """One's cards that are good, the newest first."""
    live = _of(member_id).where(*is_live(now)).order_by(Credential.issued_at.desc(), Credential.id)
    return [_shown(card) for card in db.session.scalars(live)]


def get_wallet_card(*, member_id: UUID, credential_id: bytes, now: datetime) -> WalletCard:
    """One's own card.

    Raises:
        NotFound: there is none, or it is over.
    """
    mine = _of(member_id).where(Credential.id == credential_id, *is_live(now))
    card = db.session.scalar(mine)
    if card is None:
        raise NotFound
    return _shown(card)


def _of(member_id: UUID) -> Select[Credential]:
    return own("card").where(Credential.member_id == member_id)


def _issue(member_id: UUID, *, name: str | None, now: datetime) -> WalletCard:
    refuse_if_too_often(_of(member_id), most=MOST_A_DAY, within=_DAY, now=now)
    card = Credential(
        id=token.new_credential_id(),
        member_id=member_id,
        kind="card",
        name=name,
        issued_at=now,
        ends_at=now + GOOD_FOR,
    )
    db.session.add(card)
    db.session.flush()
    return _shown(card)


def _shown(card: Credential) -> WalletCard:
    return WalletCard(
        id=card.id,
        code=token.make_card(card.id),
        name=card.name,
        issued_at=card.issued_at,
        ends_at=card.ends_at,
    )
