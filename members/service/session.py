"""Proving with the code whose phone it is; signing in with it, and out again."""

import hmac
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from kernel import secrets
from kernel.db import db
from kernel.errors import RateLimited
from kernel.ids import new_id
from kernel.limits import wait_until
from members.errors import CodeWrong
from members.models import Challenge, MemberSession
from members.policy import CODE_TRIES, SESSION_LIVES, Purpose, code_of
from members.service.challenge import phone_of_challenge
from members.service.joining import find_or_join


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session. Its token is shown this once: the row keeps a digest."""

    session_id: UUID
    member_id: UUID
    token: str
    is_new: bool
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Proved:
    """Whose phone it is, and whether they were made a member just now."""

    member_id: UUID
    is_new: bool


def sign_in(*, challenge_id: UUID, code: str, now: datetime) -> SignedIn | CodeWrong | RateLimited:
    """Trade the code of a challenge for a session; the first time, this makes the member.

    A refusal is answered, not raised, see `prove_phone`.
    """
    proved = prove_phone(challenge_id=challenge_id, code=code, purpose="sign-in", now=now)
    if not isinstance(proved, Proved):
        return proved
    return _session(proved.member_id, is_new=proved.is_new, now=now)


def prove_phone(
    *, challenge_id: UUID, code: str, purpose: Purpose, now: datetime
) -> Proved | CodeWrong | RateLimited:
    """Trade the code of a challenge for the knowledge whose it is; the first time, make the member.

    A refusal is answered, not raised: the wrong try that it counts must be committed.

    - `CodeWrong`: another code, or a challenge that is unknown, ended or used already. Which of
      these is not told.
    - `RateLimited`: the fifth wrong try and every one after it; a new code must be asked for.
    """
    asked = _locked(challenge_id)
    if asked is None or asked.used_at is not None or asked.ends_at <= now:
        return CodeWrong()
    if asked.tries >= CODE_TRIES:
        return wait_until(asked.ends_at, now=now)
    if not hmac.compare_digest(code_of(challenge_id, purpose).encode(), code.encode()):
        asked.tries += 1
        if asked.tries == CODE_TRIES:
            return wait_until(asked.ends_at, now=now)
        return CodeWrong()
    asked.used_at = now
    number = phone_of_challenge(asked)
    return Proved(*find_or_join(number=number, locale=asked.locale, now=now))


def end_other_sessions(*, member_id: UUID, session_id: UUID, now: datetime) -> None:
    """Sign a member out everywhere but here, as when a phone is lost."""
    others = (
        MemberSession.member_id == member_id,
        MemberSession.id != session_id,
        MemberSession.ended_at.is_(None),
    )
    db.session.execute(update(MemberSession).where(*others).values(ended_at=now))


def end_session(*, session_id: UUID, now: datetime) -> None:
    """Sign out. Ending a session again changes nothing."""
    mine = (MemberSession.id == session_id, MemberSession.ended_at.is_(None))
    db.session.execute(update(MemberSession).where(*mine).values(ended_at=now))


def _locked(challenge_id: UUID) -> Challenge | None:
    """Lock the challenge, so that of many tries at once each is counted and one may win."""
    wanted = select(Challenge).where(Challenge.id == challenge_id)
    return db.session.scalar(wanted.with_for_update())


def _session(member_id: UUID, *, is_new: bool, now: datetime) -> SignedIn:
    token = secrets.new_token("mem_")
    started = MemberSession(
        id=new_id(),
        member_id=member_id,
        token_digest=secrets.digest(token),
        started_at=now,
        ends_at=now + SESSION_LIVES,
    )
    db.session.add(started)
    return SignedIn(started.id, member_id, token, is_new, started.ends_at)
