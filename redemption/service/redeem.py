"""Cups are handed over: read all that matters, decide in Python, write if nothing changed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb

import chain
from kernel import hot
from kernel.errors import Refusal, TryAgain
from kernel.idempotency import Key, checked
from kernel.ids import new_id
from kernel.transaction import again
from redemption import statements, till_money, token
from redemption.answer import Portion, Redeemed, answer, kept
from redemption.deciding import decide
from redemption.errors import REASONS, OwnWallet, TokenExpired, TokenInvalid
from redemption.next_time import with_time
from redemption.scan import Scan, question, statement, whose
from redemption.seen import Seen, see
from redemption.token import Code
from redemption.writing import Decided, row

_OPTIMISTIC_TRIES = 1
"""A wallet that was changed once is changed again: at a hot one each further try only costs."""
_CLASHES = ("uq_redemption_token_used_once", "pk_idempotency_key")


def redeem(*, scan: Scan, now: datetime) -> Redeemed:
    """Hand over cups at a store, exactly once per key, and book their money with them.

    Two statements on the good path, and no lock while Python thinks. Somebody faster makes the
    write do nothing: then it is read and decided again, at last under the wallet's lock.

    Raises:
        Unauthenticated: the shift is unknown or over, its device or clerk no longer works, or the
            device has not signed.
        TokenInvalid, TokenExpired, TokenUsed: see `redemption.token`.
        KeyReused: the key came before with another request.
        RateLimited: this device has sent too many codes that are none.
        Refusal: see `redemption.policy.choose` and `code_policy.check_use`; business refusals are
            kept under the key.
    """
    code = token.parse(scan.code)
    given = again(lambda: _answered(scan, code, now))
    if isinstance(given, Refusal):
        raise given
    return given


def validate(*, scan: Scan, now: datetime) -> Redeemed:
    """Answer what `redeem` would, or refuse as it would, and hand over nothing.

    The code stays good, and nothing is kept; only what is no code is counted all the same.

    Raises: as `redeem`.
    """
    code = token.parse(scan.code)
    seen = _see(hot.read_rows, scan, code, now)
    try:
        _, portions = decide(seen, scan, code, now)
    except TokenInvalid:
        _count_wrong(hot.rows, seen, scan, now)
        raise
    except Refusal as refusal:
        raise with_time(hot.read_rows, seen, scan, refusal, now) from None
    taken = [pick for portion in portions for pick in portion.taken]
    till_money.postings(taken, made_at_id=seen.store_id)  # what could not be booked is no yes
    return _answer(None, seen, scan, portions, now)


def _answered(scan: Scan, code: Code | None, now: datetime) -> Redeemed | Refusal:
    for _ in range(_OPTIMISTIC_TRIES):
        given = _attempt(hot.read_rows, hot.rows, scan, code, now)
        if given is not None:
            return given
    return _alone(scan, code, now)


def _alone(scan: Scan, code: Code | None, now: datetime) -> Redeemed | Refusal:
    """Hold the wallet's lock for one attempt: nobody else can be faster then."""
    with hot.together() as run:
        run(statements.LOCK, whose(code))
        given = _attempt(run, run, scan, code, now)
    if given is None:  # the same key came through another wallet
        raise TryAgain
    return given


def _attempt(
    read: hot.Run, write: hot.Run, scan: Scan, code: Code | None, now: datetime
) -> Redeemed | Refusal | None:
    """Read, decide, write; None if the wallet was changed, or the key answered, in between.

    A refusal is answered, not raised, since what is written of it must be committed.
    """
    seen = _see(read, scan, code, now)
    if seen.known_fingerprint is not None:
        mine = Key(seen.device_id, scan.key, scan.fingerprint)
        return _replayed(checked(mine, seen.known_fingerprint, seen.known_answer))
    try:
        genuine, portions = decide(seen, scan, code, now)
    except TokenInvalid as refusal:
        _count_wrong(write, seen, scan, now)
        return refusal
    except Refusal as bare:
        told = with_time(read, seen, scan, bare, now)
        return told if _is_told(write, seen, scan, told, now) else None
    return _written(write, seen, scan, _decided(seen, scan, genuine, portions, now), now)


def _see(read: hot.Run, scan: Scan, code: Code | None, now: datetime) -> Seen:
    seen = see(read, statement(scan, code), question(scan, code, now))
    chain.check_signed(
        scan.signed, device_id=seen.device_id, public_key=seen.public_key, profile=seen.profile
    )
    return seen


def _count_wrong(write: hot.Run, seen: Seen, scan: Scan, now: datetime) -> None:
    """Count what is no code against the device."""
    wrong = {"device_id": seen.device_id, "now": scan.common_at(now)}
    write(statements.COUNT_WRONG_CODE, wrong)


def _decided(seen: Seen, scan: Scan, code: Code, portions: list[Portion], now: datetime) -> Decided:
    redemption_id = new_id()
    redeemed = _answer(redemption_id, seen, scan, portions, now)
    return Decided(redemption_id, code, portions, redeemed)


def _answer(
    redemption_id: UUID | None, seen: Seen, scan: Scan, portions: list[Portion], now: datetime
) -> Redeemed:
    return answer(
        redemption_id=redemption_id,
        store_id=seen.store_id,
        portions=portions,
        top_up=scan.top_up,
        now=now,
    )


def _written(
    write: hot.Run, seen: Seen, scan: Scan, decided: Decided, now: datetime
) -> Redeemed | None:
    """Write it all, if the wallet is as it was seen; None if somebody was faster."""
    under = {"key": scan.key, "fingerprint": scan.fingerprint}
    try:
        done = write(statements.WRITE, {**row(seen, decided, now), **under})
    except UniqueViolation as clash:
        # The same code or the same key came through another till or wallet in this instant:
        # the next reading finds it used.
        if clash.diag.constraint_name in _CLASHES:
            return None
        raise
    return decided.answer if done else None


def _is_told(write: hot.Run, seen: Seen, scan: Scan, refusal: Refusal, now: datetime) -> bool:
    """Note for the store's day that it was turned away, and keep the answer for a retry.

    False if a racer answered the key. Whoever scans from their own wallet is noted, too, and whose
    code is over, but they hear it anew each time. What is no code, or no drink, is neither.
    """
    is_kept = refusal.code in REASONS
    if not is_kept and not isinstance(refusal, OwnWallet | TokenExpired):
        return True
    turned_away = {
        "is_kept": is_kept,
        "key": scan.key,
        "fingerprint": scan.fingerprint,
        "answer": Jsonb({"refusal": refusal.code, "facts": refusal.facts}),
        "id": new_id(),
        "store_id": seen.store_id,
        "device_id": seen.device_id,
        "staff_id": seen.staff_id,
        "product_id": _refused_drink(seen, scan, refusal),
        "cups": scan.cups,
        "reason": refusal.code,
        "now": now,
        "business_day": seen.business_day,
    }
    return bool(write(statements.REFUSE, turned_away))


def _refused_drink(seen: Seen, scan: Scan, refusal: Refusal) -> UUID | str | None:
    """Of several drinks the one that cannot be had; None where it is all of them together.

    Whether the chain sells a drink is not looked at before the code.
    """
    if len(scan.items) == 1:
        asked = scan.items[0].product_id
        return asked if asked in seen.drinks else None
    product_id: str | None = refusal.facts.get("product_id")
    return product_id


def _replayed(known: dict[str, Any]) -> Redeemed | Refusal:
    """Say again what this key was answered, whatever happened to the cups since."""
    if "refusal" in known:
        refusal = REASONS[known["refusal"]](**known["facts"])
        refusal.is_replayed = True
        return refusal
    return kept(known["redeemed"])
