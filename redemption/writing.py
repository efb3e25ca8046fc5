"""What the one statement is given that writes a redemption (`statements.WRITE`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from kernel.hot import array
from kernel.ids import new_id
from ledger import Pair
from ledger.content import content_hash
from redemption import till_money
from redemption.answer import Portion, Redeemed
from redemption.policy import Taken
from redemption.seen import Seen
from redemption.token import Code


@dataclass(frozen=True, slots=True)
class Decided:
    """What is to be written, if the wallet is still as it was seen."""

    redemption_id: UUID
    code: Code
    portions: Sequence[Portion]
    answer: Redeemed

    @property
    def taken(self) -> list[Taken]:
        return [pick for portion in self.portions for pick in portion.taken]


def row(seen: Seen, decided: Decided, now: datetime) -> dict[str, Any]:
    """Write down what was decided, in arrays; under which key comes besides."""
    taken = decided.taken
    pairs = till_money.postings(taken, made_at_id=seen.store_id)
    paid = till_money.top_ups_of(taken)
    return {
        "member_id": seen.member_id,
        "version": seen.version,
        "redemption_id": decided.redemption_id,
        "store_id": seen.store_id,
        "device_id": seen.device_id,
        "staff_id": seen.staff_id,
        "cups": decided.answer.cups,
        "top_up": sum(one.gross for one in paid),
        "top_up_vat": sum(one.vat for one in paid),
        "now": now,
        "today_on": seen.today_on,
        "business_day": seen.business_day,
        "credential_id": decided.code.credential_id,
        "step": decided.code.step_used,
        "answer": Jsonb({"redeemed": decided.answer.as_json()}),
        **_news(taken),
        **_entry(seen, decided, pairs, now),
        **_lines(decided),
        **_lots(taken),
    }


def _entry(seen: Seen, decided: Decided, pairs: Sequence[Pair], now: datetime) -> dict[str, Any]:
    """The entry with its pairs; none, where nothing is booked."""
    assert seen.member_id is not None  # there are lots
    currency, entry_id = decided.taken[0].lot.currency, new_id() if pairs else None
    return {
        "entry_id": entry_id,
        "currency": currency,
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
        "books": array(pair.store_id for pair in pairs),
        "debits": array(pair.debit for pair in pairs),
        "credits": array(pair.credit for pair in pairs),
        "amounts": array(pair.amount for pair in pairs),
        "qtys": array(pair.qty for pair in pairs),
        "counterparts": array(pair.counterpart_store_id for pair in pairs),
        "pair_offers": array(pair.offer_id for pair in pairs),
        "pair_lots": array(pair.lot_id for pair in pairs),
    }


def _lines(decided: Decided) -> dict[str, Any]:
    """Which cups of which drink came from which lot."""
    lines = [(portion.drink.id, pick) for portion in decided.portions for pick in portion.taken]
    return {
        "line_products": array(product_id for product_id, _ in lines),
        "line_lots": array(pick.lot.id for _, pick in lines),
        "line_offers": array(pick.lot.offer_id for _, pick in lines),
        "line_cups": array(pick.cups for _, pick in lines),
        "line_amounts": array(pick.amount for _, pick in lines),
        "line_vats": array(pick.vat for _, pick in lines),
        "line_top_ups": array(pick.top_up for _, pick in lines),
    }


def _lots(taken: Sequence[Taken]) -> dict[str, Any]:
    """What leaves each lot: two drinks may come from one, and a lot is written to once."""
    leaving: dict[UUID, tuple[int, int, int]] = {}
    for pick in taken:
        cups, amount, vat = leaving.get(pick.lot.id, (0, 0, 0))
        leaving[pick.lot.id] = (cups + pick.cups, amount + pick.amount, vat + pick.vat)
    return {
        "lot_ids": array(leaving),
        "lot_cups": array(cups for cups, _, _ in leaving.values()),
        "lot_amounts": array(amount for _, amount, _ in leaving.values()),
        "lot_vats": array(vat for _, _, vat in leaving.values()),
    }


def _news(taken: Sequence[Taken]) -> dict[str, Any]:
    """What is promised with it: that everybody hears of it, and invoices of what is taxed now."""
    topics = ["redemption.done"]
    if till_money.is_taxed(taken):
        topics.append("redemption.taxed")
    return {"news_ids": array(new_id() for _ in topics), "news_topics": array(topics)}
