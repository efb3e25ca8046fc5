"""What is handed over for a scan, or why nothing is. Reads nothing, and touches nothing."""

from datetime import datetime
from uuid import UUID

from kernel.config import config
from kernel.errors import RateLimited, Refusal
from redemption import policy, several, till_money, token
from redemption.answer import Portion
from redemption.code_policy import PHONE_IS_NEW, Caution, Use, check_use, limit_of
from redemption.errors import (
    InsufficientCups,
    LimitReached,
    OwnWallet,
    TokenInvalid,
    TokenUsed,
    TopUpDue,
    UnknownProduct,
    WalletBlocked,
)
from redemption.policy import Taken, Wanted
from redemption.scan import Asked, Scan
from redemption.seen import Seen
from redemption.token import Code

_WRONG_CODES_AN_HOUR = 1_000


def decide(seen: Seen, scan: Scan, code: Code | None, now: datetime) -> tuple[Code, list[Portion]]:
    """Decide what is handed over: the code that lets it, and drink by drink the cups.

    Raises:
        Refusal: see `redemption.service.redeem`.
    """
    genuine = _check_code(seen, code, scan.common_at(now))
    _check_asked(seen, scan)
    return genuine, _portions(seen, scan, genuine, now)


def is_held(seen: Seen, asked: Asked, *, at: datetime) -> bool:
    """Whether anything that is held now would be good for a drink at a later moment."""
    one = Asked(asked.product_id, 1)
    try:
        return bool(policy.fit(seen.lots[one.product_id], wanted=_wanted(seen, one), now=at))
    except Refusal:
        return False


def check_guesses(wrong_codes: int, *, now: datetime) -> None:
    """Let a device go on that has sent so many codes in this hour that are none.

    Raises:
        RateLimited: too many; it waits for the next hour.
    """
    if wrong_codes >= _WRONG_CODES_AN_HOUR:
        raise RateLimited(retry_after=3600 - now.minute * 60 - now.second)


def _check_code(seen: Seen, code: Code | None, now: datetime) -> Code:
    """Let a code pass that is genuine, fresh, of a known wallet, and not used before."""
    check_guesses(seen.wrong_codes, now=now)
    if code is None:
        raise TokenInvalid
    token.check_fresh(code, now=now)
    if seen.member_id is None or seen.credential_kind not in (code.kind, None):
        raise TokenInvalid
    if seen.is_token_used:
        raise TokenUsed
    return code


def _check_asked(seen: Seen, scan: Scan) -> None:
    """Let pass what may be asked of this wallet at all, whatever it holds."""
    if any(one.product_id not in seen.drinks for one in scan.items):
        raise UnknownProduct
    if seen.own_member_id is not None and seen.own_member_id in (seen.member_id, seen.holder_id):
        raise OwnWallet
    if seen.blocked_at is not None:
        raise WalletBlocked


def _use(seen: Seen, code: Code, scan: Scan, now: datetime) -> Use:
    """What was shown, and what was collected with it before."""
    is_new = (
        seen.phone_since is not None and seen.phone_since > (scan.shown_at or now) - PHONE_IS_NEW
    )
    return Use(
        code=code,
        cups=seen.cups_lately,
        cups_today=seen.cups_today,
        approved=seen.approved_cups or 0,
        is_new_phone=code.kind == "phone" and seen.holder_id is None and is_new,
        capsule_cups=seen.capsule_cups,
    )


def _least(refusal: InsufficientCups | LimitReached, use: Use, seen: Seen, scan: Scan) -> Refusal:
    """What is refused leaves so many cups; where the shown code leaves fewer, that is told.

    So whoever then asks for what was told to be left is not refused again.
    """
    leaves: int = refusal.facts["allowed" if isinstance(refusal, LimitReached) else "held"]
    limit = limit_of(use, next_day_at=seen.next_day_at)
    if limit is None or limit.allowed >= leaves:
        return refusal
    return limit.reached(wanted=scan.cups)


def _portions(seen: Seen, scan: Scan, code: Code, now: datetime) -> list[Portion]:
    """What is taken for each drink. Nobody is asked to approve or to pay for what cannot be had."""
    wanted = {one.product_id: _wanted(seen, one) for one in scan.items}
    use = _use(seen, code, scan, now)
    try:
        taken = _choose(seen, wanted, now)
    except (InsufficientCups, LimitReached) as refusal:
        raise _least(refusal, use, seen, scan) from None
    everything = [pick for picks in taken.values() for pick in picks]
    check_use(
        use,
        cups=scan.cups,
        store_group=seen.offline_group,
        caution=Caution(config().approval_from_cups, config().new_device_cups),
        next_day_at=seen.next_day_at,
    )
    due = till_money.due(everything)
    if due != scan.top_up:
        raise TopUpDue(due=due, collected=scan.top_up, currency=everything[0].lot.currency)
    return [
        Portion(
            seen.drinks[product_id],
            one.cups,
            taken[product_id],
            policy.left_after(seen.lots[product_id], everything, wanted=one, now=now),
        )
        for product_id, one in wanted.items()
    ]


def _wanted(seen: Seen, asked: Asked) -> Wanted:
    drink = seen.drinks[asked.product_id]
    return Wanted(cups=asked.cups, list_price=drink.list_price, channel=seen.channel)


def _choose(seen: Seen, wanted: dict[UUID, Wanted], now: datetime) -> dict[UUID, list[Taken]]:
    """Choose for the one drink there mostly is, or for several together."""
    if len(wanted) == 1:
        (product_id,) = wanted
        taken = policy.choose(
            seen.lots[product_id],
            wanted=wanted[product_id],
            now=now,
            next_day_at=seen.next_day_at,
        )
        return {product_id: taken}
    asked = {
        product_id: several.Asked(one, seen.lots[product_id]) for product_id, one in wanted.items()
    }
    return several.choose_all(asked, now=now, next_day_at=seen.next_day_at)
