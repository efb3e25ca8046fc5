"""Writing down what the provider's balance did, once, whoever fetched it and however often."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

import chain
from chain.policy import local_day
from kernel.db import db
from payments.gateway import SeenPayout, SeenTransaction
from payments.models import BalanceTransaction, Payout, ProviderDay


def keep_transactions(seen: Sequence[SeenTransaction]) -> None:
    """Keep movements, in the caller's transaction; those that are known stay as they are.

    What is new counts towards its day's sum, so a movement counts exactly once. Rows are written
    in the order of their keys, so that two who keep the same ones do not lock each other out.
    """
    if not seen:
        return
    rows = [_row(one) for one in sorted(seen, key=lambda one: one.ref)]
    kept = db.session.execute(
        insert(BalanceTransaction)
        .values(rows)
        .on_conflict_do_nothing()
        .returning(
            BalanceTransaction.created_at, BalanceTransaction.currency, BalanceTransaction.net_minor
        )
    )
    _count([(at, currency, net_minor) for at, currency, net_minor in kept])


def keep_payouts(seen: Sequence[SeenPayout]) -> None:
    """Keep payouts as they are now, in the caller's transaction: their status changes."""
    if not seen:
        return
    row = insert(Payout).values([_row(one) for one in sorted(seen, key=lambda one: one.ref)])
    changing = ("status", "is_itemised", "failure", "arrives_at")
    db.session.execute(
        row.on_conflict_do_update(
            index_elements=[Payout.provider_ref],
            set_={name: row.excluded[name] for name in changing},
        )
    )


def keep_items(
    *, payout_ref: str, seen: Sequence[SeenTransaction], after: str | None, next_after: str | None,
    now: datetime,
) -> bool:  # fmt: skip
    """Keep a page of what went out with a payout, in the caller's transaction.

    Only if nobody has gone on from `after` meanwhile; answers whether that was so. The last page
    (no `next_after`) completes the payout.
    """
    place = Payout.items_after.is_not_distinct_from(after)
    moved = db.session.execute(
        update(Payout)
        .where(Payout.provider_ref == payout_ref, Payout.items_kept_at.is_(None), place)
        .values(items_after=next_after, items_kept_at=None if next_after else now)
        .returning(Payout.provider_ref)
    )
    if moved.scalar() is None:
        return False
    keep_transactions(seen)
    refs = [one.ref for one in seen]
    went_out = update(BalanceTransaction).where(BalanceTransaction.provider_ref.in_(refs))
    db.session.execute(went_out.values(payout_ref=payout_ref))
    return True


def _row(seen: SeenTransaction | SeenPayout) -> dict[str, object]:
    facts = asdict(seen)
    return {"provider_ref": facts.pop("ref"), **facts}


def _count(kept: Sequence[tuple[datetime, str, int]]) -> None:
    if not kept:
        return
    time_zone = chain.online_store().time_zone
    sums: Counter[tuple[date, str]] = Counter()
    for created_at, currency, net_minor in kept:
        sums[local_day(created_at, time_zone=time_zone), currency] += net_minor
    row = insert(ProviderDay).values(
        [
            {"day_on": day_on, "currency": currency, "net_minor": net_minor}
            for (day_on, currency), net_minor in sorted(sums.items())
        ]
    )
    added = ProviderDay.net_minor + row.excluded.net_minor
    db.session.execute(
        row.on_conflict_do_update(constraint="pk_provider_day", set_={"net_minor": added})
    )
