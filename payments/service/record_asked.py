"""Writing down what the provider was seen to say of many payments, for who asked for them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from kernel import arrays
from kernel.db import db
from payments import policy
from payments.gateway import CARDS, Intent
from payments.service.record import record

# Of what is paid as nearly all is: a first attempt of which nobody has heard yet, so that there is
# no second. By their purposes, which is the order in which payments are locked.
_PAY = text("""
    UPDATE payment
    SET status = 'succeeded', failure = NULL, client_secret = NULL,
        provider_ref = seen.provider_ref, settled_at = :now, due_at = NULL
    FROM (
        SELECT seen.*
        FROM unnest(
            CAST(:ids AS uuid[]), CAST(:refs AS text[]), CAST(:amounts AS bigint[]),
            CAST(:currencies AS text[])
        ) AS seen (id, provider_ref, amount, currency)
        JOIN payment AS asked ON asked.id = seen.id
        ORDER BY asked.purpose, asked.purpose_id OFFSET 0
    ) AS seen
    WHERE payment.id = seen.id AND payment.attempt = 1
      AND payment.status IN ('intent', 'processing')
      AND payment.is_off_session AND payment.provider = :cards
      AND NOT payment.keeps_card AND NOT payment.by_holder
      AND payment.amount = seen.amount AND payment.currency = seen.currency
      AND coalesce(payment.provider_ref, seen.provider_ref) = seen.provider_ref
    RETURNING payment.id, payment.purpose_id
""")

# With the locks of all attempts for the same purposes, in one order.
_LOCK = text("""
    SELECT payment.id, payment.purpose, payment.purpose_id, payment.status, payment.provider,
           payment.provider_ref, payment.amount, payment.currency, payment.keeps_card,
           payment.by_holder, payment.is_off_session
    FROM payment AS seen
    JOIN payment ON payment.purpose = seen.purpose AND payment.purpose_id = seen.purpose_id
    WHERE seen.id = ANY(CAST(:ids AS uuid[]))
    ORDER BY payment.purpose, payment.purpose_id, payment.attempt
    FOR UPDATE OF payment
""")

_WRITE = text("""
    UPDATE payment
    SET status = seen.status, failure = seen.failure, client_secret = seen.client_secret,
        provider_ref = coalesce(payment.provider_ref, seen.provider_ref),
        settled_at = CASE WHEN seen.is_settled THEN CAST(:now AS timestamptz) END,
        due_at = CASE WHEN NOT seen.is_settled THEN payment.due_at END
    FROM unnest(
        CAST(:ids AS uuid[]), CAST(:statuses AS text[]), CAST(:failures AS text[]),
        CAST(:secrets AS text[]), CAST(:refs AS text[]), CAST(:settled AS boolean[])
    ) AS seen (id, status, failure, client_secret, provider_ref, is_settled)
    WHERE payment.id = seen.id
""")

_WAIT = text("""
    UPDATE payment SET status = 'processing'
    WHERE id = ANY(CAST(:ids AS uuid[])) AND status = 'intent'
""")


@dataclass(frozen=True, slots=True)
class News:
    """A payment has moved: it is paid, or an attempt has failed (`status` says how)."""

    payment_id: UUID
    purpose_id: UUID
    status: str
    failure: str | None

    @property
    def is_paid(self) -> bool:
        """Whether the money has come."""
        return self.status == "succeeded"


def record_asked(seen: Mapping[UUID, Intent | None], *, now: datetime) -> list[News]:
    """Bring payments to what the provider was seen to say, in the caller's transaction.

    As `record` does, but the news is answered to the caller instead of told to a room: the caller
    draws its consequences in the same transaction. What somebody else has heard before is no news,
    and where there is more to it (a second payment for one purpose) `record` does it and tells. A
    payment of which nobody knows (None) is `processing`. The number of statements does not grow
    with the set.
    """
    paid = _paid(seen, now)
    if len(paid) == len(seen):
        return paid
    heard = {one.payment_id for one in paid}
    rest = {payment_id: one for payment_id, one in seen.items() if payment_id not in heard}
    return [*paid, *(_record(rest, now) if rest else ())]


def _paid(seen: Mapping[UUID, Intent | None], now: datetime) -> list[News]:
    """Write down what is paid and plain: who looks at it under a lock would find nothing else."""
    intents = {
        payment_id: one
        for payment_id, one in seen.items()
        if one is not None
        and one.status == "succeeded"
        and one.payment_id == payment_id
        and one.ref
    }
    if not intents:
        return []
    paid = db.session.execute(
        _PAY,
        {
            "ids": arrays.of_ids(intents),
            "refs": arrays.of_words(one.ref or "" for one in intents.values()),
            "amounts": arrays.of_numbers(one.amount for one in intents.values()),
            "currencies": arrays.of_words(one.currency for one in intents.values()),
            "cards": CARDS,
            "now": now,
        },
    )
    return [News(row.id, row.purpose_id, "succeeded", None) for row in paid]


def _record(seen: Mapping[UUID, Intent | None], now: datetime) -> list[News]:
    attempts = _locked(list(seen))
    moved = [
        (payment, intent)
        for payment_id, intent in seen.items()
        if intent is not None and (payment := _plain(attempts, payment_id)) is not None
        if policy.moved(payment.status, intent.status) != payment.status
    ]
    for payment, intent in moved:
        _check_is_ours(payment, intent)
    _write(moved, now)
    unknown = [payment_id for payment_id, intent in seen.items() if intent is None]
    if unknown:
        db.session.execute(_WAIT, {"ids": unknown})
    for payment_id, told in seen.items():
        if told is not None and _plain(attempts, payment_id) is None:
            record(payment_id=payment_id, seen=told, now=now)
    return [
        News(payment.id, payment.purpose_id, intent.status, intent.failure)
        for payment, intent in moved
        if intent.status != "processing"
    ]


_Attempts = Mapping[UUID, Sequence[Row[Any]]]


def _locked(payment_ids: Sequence[UUID]) -> _Attempts:
    """All attempts for the purposes of some payments, by each payment's id."""
    of_purpose: dict[tuple[str, UUID], list[Row[Any]]] = defaultdict(list)
    rows = db.session.execute(_LOCK, {"ids": payment_ids}).unique().all()
    for row in rows:
        of_purpose[row.purpose, row.purpose_id].append(row)
    return {row.id: of_purpose[row.purpose, row.purpose_id] for row in rows}


def _plain(attempts: _Attempts, payment_id: UUID) -> Row[Any] | None:
    """A payment off session that is open, and of whose purpose nothing else is paid."""
    theirs = attempts[payment_id]
    payment = next(one for one in theirs if one.id == payment_id)
    is_plain = (
        payment.is_off_session
        and payment.provider == CARDS
        and not (payment.keeps_card or payment.by_holder)
        and payment.status in ("intent", "processing")
        and not any(one.status == "succeeded" for one in theirs)
    )
    return payment if is_plain else None


def _check_is_ours(payment: Row[Any], seen: Intent) -> None:
    """What was asked and what is seen are one: anything else is a bug, and no money is booked."""
    asked = (payment.id, payment.provider_ref or seen.ref, payment.amount, payment.currency)
    if asked != (seen.payment_id, seen.ref or payment.provider_ref, seen.amount, seen.currency):
        raise RuntimeError(f"payment {payment.id} is not what the provider shows as {seen.ref}")


def _write(moved: Sequence[tuple[Row[Any], Intent]], now: datetime) -> None:
    if not moved:
        return
    intents = [intent for _, intent in moved]
    db.session.execute(
        _WRITE,
        {
            "now": now,
            "ids": [payment.id for payment, _ in moved],
            "statuses": [intent.status for intent in intents],
            "failures": [_failure(intent) for intent in intents],
            "secrets": [
                intent.client_secret if intent.status == "requires_action" else None
                for intent in intents
            ],
            "refs": [intent.ref for intent in intents],
            "settled": [intent.status not in policy.OPEN for intent in intents],
        },
    )


def _failure(intent: Intent) -> str | None:
    return intent.failure or ("cancelled" if intent.status == "cancelled" else None)
