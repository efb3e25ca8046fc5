"""Cups are handed over: read all that matters, decide in Python, write if nothing changed."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb

from kernel import hot
from kernel.errors import RateLimited, Refusal, TryAgain, Unauthenticated
from kernel.hot import array
from kernel.idempotency import Key, checked
from kernel.ids import new_id
from kernel.transaction import again
from ledger.content import content_hash
from redemption import policy, statements, till_money, token
from redemption.errors import (
    REASONS,
    OwnWallet,
    TokenInvalid,
    TokenUsed,
    TopUpDue,
    UnknownProduct,
    WalletBlocked,
)
from redemption.policy import HeldLot, Taken, Wanted

_OPTIMISTIC_TRIES = 3
_WRONG_CODES_AN_HOUR = 1_000
_TILL_COLUMNS = 18
_CLASHES = ("uq_redemption_token_used_once", "pk_idempotency_key")


@dataclass(frozen=True, slots=True)
class Scan:
    """What a till asks for: cups of a product, for whoever shows this code.

    `top_up` is what it collected for them besides, in minor units, VAT included. `key` and
    `fingerprint` make a retry of it recognisable, see `kernel.idempotency`. `shown_at` is when by
    the clock that till and phone have, where the wallet's is another (in the sandbox).
    """

    shift_digest: bytes
    code: str
    product_id: UUID
    cups: int
    key: str
    fingerprint: bytes
    top_up: int = 0
    shown_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What was handed over, from which lots, and how many cups are `left`.

    `left` counts what the member can still take of this product at this till, and is None where
    that `is_unlimited`. `top_up` is the money that was paid besides. Answers that were kept before
    there was the one or the other do not have it.
    """

    id: str
    store_id: str
    product_id: str
    cups: int
    redeemed_at: str
    taken: list[dict[str, Any]]
    left: int | None
    is_unlimited: bool = False
    top_up: dict[str, Any] = field(default_factory=lambda: {"amount": 0, "currency": "TWD"})
    is_replayed: bool = False

    def as_json(self) -> dict[str, Any]:
        """The answer as it is given and kept."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "is_replayed"}


@dataclass(frozen=True, slots=True)
class _Seen:
    """Everything about till, key, wallet and lots, as of one moment, in the reading's order."""

    lots: list[HeldLot]
    device_id: UUID
    store_id: UUID
    channel: str
    staff_id: UUID
    own_member_id: UUID | None
    today_on: date
    business_day: date
    next_day_at: datetime
    known_fingerprint: bytes | None
    known_answer: dict[str, Any] | None
    wrong_codes: int
    list_price: int | None
    member_id: UUID | None
    version: int | None
    blocked_at: datetime | None
    is_token_used: bool
    holder_id: UUID | None
    shared_plan_id: UUID | None


@dataclass(frozen=True, slots=True)
class _Decided:
    """What is to be written, if the wallet is still as it was seen."""

    code: token.Token
    wanted: Wanted
    taken: list[Taken]
    redemption_id: UUID


def redeem(*, scan: Scan, now: datetime) -> Redeemed:
    """Hand over cups at a store, exactly once per key, and book their money with them.

    Two statements on the good path, and no lock while Python thinks. Somebody faster makes the
    write do nothing: then it is read and decided again, at last under the wallet's lock.

    Raises:
        Unauthenticated: the shift is unknown or over, or its device or clerk no longer works.
        TokenInvalid, TokenExpired, TokenUsed: see `redemption.token`.
        KeyReused: the key came before with another request.
        RateLimited: this device has sent too many codes that are none.
        Refusal: see `redemption.policy.choose`; business refusals are kept under the key.
    """
    parsed = token.parse(scan.code)
    answer = again(lambda: _answered(scan, parsed, now))
    if isinstance(answer, Refusal):
        raise answer
    return answer


def _answered(scan: Scan, parsed: token.Token | None, now: datetime) -> Redeemed | Refusal:
    for _ in range(_OPTIMISTIC_TRIES):
        answer = _attempt(hot.read_rows, hot.rows, scan, parsed, now)
        if answer is not None:
            return answer
    return _alone(scan, parsed, now)


def _alone(scan: Scan, parsed: token.Token | None, now: datetime) -> Redeemed | Refusal:
    """Hold the wallet's lock for one attempt: nobody else can be faster then."""
    with hot.together() as run:
        run(statements.LOCK, {"credential_id": parsed and parsed.credential_id})
        answer = _attempt(run, run, scan, parsed, now)
    if answer is None:  # the same key came through another wallet
        raise TryAgain
    return answer


def _attempt(
    read: hot.Run, write: hot.Run, scan: Scan, parsed: token.Token | None, now: datetime
) -> Redeemed | Refusal | None:
    """Read, decide, write; None if the wallet was changed, or the key answered, in between.

    A refusal is answered, not raised, since what is written of it must be committed.
    """
    seen = _read(read, scan, parsed, now)
    if seen.known_fingerprint is not None:
        mine = Key(seen.device_id, scan.key, scan.fingerprint)
        return _replayed(checked(mine, seen.known_fingerprint, seen.known_answer))
    try:
        genuine = _check_code(seen, parsed, scan.shown_at or now)
        wanted = _check_asked(seen, scan)
        taken = _decide(seen, scan, wanted, now)
    except TokenInvalid as refusal:
        write(
            statements.COUNT_WRONG_CODE, {"device_id": seen.device_id, "now": scan.shown_at or now}
        )
        return refusal
    except Refusal as refusal:
        return refusal if _is_kept(write, seen, scan, refusal, now) else None
    return _write(write, seen, scan, _Decided(genuine, wanted, taken, new_id()), now)


def _read(read: hot.Run, scan: Scan, parsed: token.Token | None, now: datetime) -> _Seen:
    rows = read(
        statements.READ,
        {
            "shift_digest": scan.shift_digest,
            "credential_id": parsed.credential_id if parsed and parsed.is_genuine else None,
            "step": parsed.step if parsed else None,
            "product_id": scan.product_id,
            "key": scan.key,
            "now": now,
            "common_at": scan.shown_at or now,
        },
    )
    if not rows:
        raise Unauthenticated
    lots = [HeldLot(*row[_TILL_COLUMNS:]) for row in rows if row[_TILL_COLUMNS] is not None]
    seen = _Seen(lots, *rows[0][:_TILL_COLUMNS])
    return seen if _has_place(read, seen) else replace(seen, member_id=None)


def _has_place(read: hot.Run, seen: _Seen) -> bool:
    """Whether a code of a shared plan is of somebody who shares it; others show their own."""
    if seen.holder_id is None:
        return True
    shared = {"subscription_id": seen.shared_plan_id, "holder_id": seen.holder_id}
    return bool(read(statements.PLACE, shared))


def _check_code(seen: _Seen, parsed: token.Token | None, now: datetime) -> token.Token:
    """Let a code pass that is genuine, fresh, of a known wallet, and not used before."""
    if seen.wrong_codes >= _WRONG_CODES_AN_HOUR:
        raise RateLimited(retry_after=3600 - now.minute * 60 - now.second)
    if parsed is None:
        raise TokenInvalid
    token.check_fresh(parsed, now=now)
    if seen.member_id is None:
        raise TokenInvalid
    if seen.is_token_used:
        raise TokenUsed
    return parsed


def _check_asked(seen: _Seen, scan: Scan) -> Wanted:
    """Let pass what may be asked of this wallet at all, whatever it holds."""
    if seen.list_price is None:
        raise UnknownProduct
    if seen.own_member_id is not None and seen.own_member_id in (seen.member_id, seen.holder_id):
        raise OwnWallet
    if seen.blocked_at is not None:
        raise WalletBlocked
    return Wanted(cups=scan.cups, list_price=seen.list_price, channel=seen.channel)


def _decide(seen: _Seen, scan: Scan, wanted: Wanted, now: datetime) -> list[Taken]:
    """Decide what is handed over, or refuse. Touches nothing."""
    taken = policy.choose(seen.lots, wanted=wanted, now=now, next_day_at=seen.next_day_at)
    due = till_money.due(taken)
    if due != scan.top_up:
        raise TopUpDue(due=due, collected=scan.top_up, currency=taken[0].lot.currency)
    return taken


def _write(
    write: hot.Run, seen: _Seen, scan: Scan, decided: _Decided, now: datetime
) -> Redeemed | None:
    """Write it all, if the wallet is as it was seen; None if somebody was faster."""
    redeemed = _answer(seen, scan, decided, now)
    try:
        done = write(statements.WRITE, _row(seen, scan, decided, redeemed, now))
    except UniqueViolation as clash:
        # The same code or the same key came through another till or wallet in this instant:
        # the next reading finds it used.
        if clash.diag.constraint_name in _CLASHES:
            return None
        raise
    return redeemed if done else None


def _answer(seen: _Seen, scan: Scan, decided: _Decided, now: datetime) -> Redeemed:
    left = policy.left_after(seen.lots, decided.taken, wanted=decided.wanted, now=now)
    return Redeemed(
        id=str(decided.redemption_id),
        store_id=str(seen.store_id),
        product_id=str(scan.product_id),
        cups=scan.cups,
        redeemed_at=now.isoformat(),
        taken=[
            {"lot_id": str(pick.lot.id), "offer": pick.lot.offer_code, "cups": pick.cups}
            for pick in decided.taken
        ],
        left=left,
        is_unlimited=left is None,
        top_up={"amount": scan.top_up, "currency": decided.taken[0].lot.currency},
    )


def _row(
    seen: _Seen, scan: Scan, decided: _Decided, redeemed: Redeemed, now: datetime
) -> dict[str, Any]:
    taken = decided.taken
    pairs = till_money.postings(taken, made_at_id=seen.store_id)
    currency, entry_id = taken[0].lot.currency, new_id() if pairs else None
    assert seen.member_id is not None  # there are lots
    return {
        "member_id": seen.member_id,
        "version": seen.version,
        "redemption_id": decided.redemption_id,
        "entry_id": entry_id,
        # Today is in an open month, since only one that is over everywhere is closed.
        "content_hash": entry_id
        and content_hash(
            member_id=seen.member_id,
            entry_id=entry_id,
            kind="redemption",
            source_id=decided.redemption_id,
            event_at=now,
            occurred_on=seen.today_on,
            book_date=seen.today_on,
            currency=currency,
            reverses_id=None,
            pairs=pairs,
        ),
        "store_id": seen.store_id,
        "device_id": seen.device_id,
        "staff_id": seen.staff_id,
        "product_id": scan.product_id,
        "cups": scan.cups,
        "now": now,
        "today_on": seen.today_on,
        "business_day": seen.business_day,
        "credential_id": decided.code.credential_id,
        "step": decided.code.step,
        "currency": currency,
        "lot_ids": array(pick.lot.id for pick in taken),
        "offer_ids": array(pick.lot.offer_id for pick in taken),
        "lot_cups": array(pick.cups for pick in taken),
        "lot_amounts": array(pick.amount for pick in taken),
        "lot_vats": array(pick.vat for pick in taken),
        "books": array(pair.store_id for pair in pairs),
        "debits": array(pair.debit for pair in pairs),
        "credits": array(pair.credit for pair in pairs),
        "amounts": array(pair.amount for pair in pairs),
        "qtys": array(pair.qty for pair in pairs),
        "counterparts": array(pair.counterpart_store_id for pair in pairs),
        "pair_offers": array(pair.offer_id for pair in pairs),
        "pair_lots": array(pair.lot_id for pair in pairs),
        **_top_up(decided),
        "news": _news(seen, decided),
        "key": scan.key,
        "fingerprint": scan.fingerprint,
        "answer": Jsonb({"redeemed": redeemed.as_json()}),
    }


def _top_up(decided: _Decided) -> dict[str, Any]:
    """What was paid besides."""
    paid = till_money.top_up_of(decided.taken)
    return {
        "top_up": paid.gross if paid else 0,
        "top_up_vat": paid.vat if paid else 0,
    }


def _news(seen: _Seen, decided: _Decided) -> Jsonb | None:
    """What is promised with it: invoices of what is taxed now, notices of a plan that is shared."""
    of = {"member_id": str(seen.member_id), "redemption_id": str(decided.redemption_id)}
    news: list[tuple[str, dict[str, Any]]] = []
    if till_money.is_taxed(decided.taken):
        paid = till_money.top_up_of(decided.taken)
        news.append(("redemption.taxed", {**of, "vat_code": paid and paid.vat_code}))
    if seen.holder_id is not None:
        news.append(("redemption.shared", of))
    if not news:
        return None
    return Jsonb([{"id": str(new_id()), "topic": topic, "facts": facts} for topic, facts in news])


def _is_kept(write: hot.Run, seen: _Seen, scan: Scan, refusal: Refusal, now: datetime) -> bool:
    """Keep a business refusal under its key, for a retry; False if a racer answered the key."""
    if refusal.code not in REASONS:
        return True
    kept = {
        "principal_id": seen.device_id,
        "key": scan.key,
        "fingerprint": scan.fingerprint,
        "answer": Jsonb({"refusal": refusal.code, "facts": refusal.facts}),
        "now": now,
    }
    return bool(write(statements.REFUSE, kept))


def _replayed(answer: dict[str, Any]) -> Redeemed | Refusal:
    """Say again what this key was answered, whatever happened to the cups since."""
    if "refusal" in answer:
        refusal = REASONS[answer["refusal"]](**answer["facts"])
        refusal.is_replayed = True
        return refusal
    return Redeemed(**answer["redeemed"], is_replayed=True)
