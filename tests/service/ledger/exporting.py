"""Two months of trade with everything in it that an export must show, and how to read exports."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy import insert, select

import ledger
from kernel.db import db
from kernel.ids import NOBODY, new_id
from kernel.transaction import snapshot, transaction
from ledger import Event, export, policy
from ledger.models import BookMonth, Entry, Line, MonthBalance, Seal
from ledger.month import Month
from ledger.policy import Pair
from tests.world import World

JANUARY = Month(date(2026, 1, 1))
FEBRUARY = Month(date(2026, 2, 1))
FORMS = ("beancount", "hledger")

_POSTING = re.compile(r" {2,4}(\S+)  (-?\d+) (\S+)")
_ASSERTION = {
    "beancount": re.compile(r"\d{4}-\d\d-\d\d balance (\S+)  (-?\d+) (\S+)"),
    "hledger": re.compile(r"    (\S+)  0 \S+ = (-?\d+) (\S+)"),
}
_BY_OFFER = ("2131", "2132", "2134", "2138")
_BY_COUNTERPART = ("1171", "2171")

Amounts = dict[tuple[str, str], int]


def book(kind: str, pairs: Sequence[Pair], on: date, **said: object) -> tuple[UUID, UUID]:
    """Put one entry of a new member into the books; answers the member's id and its own."""
    member_id = new_id()
    event = {
        "member_id": member_id,
        "kind": kind,
        "source_id": new_id(),
        "pairs": pairs,
        "event_at": datetime(on.year, on.month, on.day, 4, tzinfo=UTC),
        "occurred_on": on,
        "currency": "TWD",
        **said,
    }
    with transaction():
        return member_id, ledger.post(Event(**event))


def sell(world: World, on: date, *, store: str = "A", **said: object) -> tuple[UUID, UUID]:
    """The pack of eleven for 500 is sold."""
    pairs = policy.sale(
        store_id=world.stores[store],
        account="2131",
        net=476,
        vat=24,
        cups=11,
        offer_id=world.offers["eleven"][0],
        lot_id=new_id(),
    )
    return book("sale", pairs, on, **said)


def collect(world: World, on: date, *, made_at: str, amount: int, cups: int) -> tuple[UUID, UUID]:
    """Cups that A has sold are made somewhere."""
    pairs = policy.hand_over(
        sold_at_id=world.stores["A"],
        made_at_id=world.stores[made_at],
        account="2131",
        amount=amount,
        cups=cups,
        offer_id=world.offers["eleven"][0],
        lot_id=new_id(),
    )
    return book("redemption", pairs, on)


def trade(world: World) -> UUID:
    """January, closed, with cups made at two stores; February, closed, with a late void.

    Answers the id of the redemption that was voided late.
    """
    sell(world, date(2026, 1, 5))
    sell(world, date(2026, 1, 31), store="C")
    collect(world, date(2026, 1, 10), made_at="A", amount=130, cups=3)
    collect(world, date(2026, 1, 11), made_at="A", amount=0, cups=1)
    member_id, redemption_id = collect(world, date(2026, 1, 20), made_at="B", amount=87, cups=2)
    close(JANUARY)
    stores = world.stores
    paid = policy.settlement(payer_id=stores["A"], payee_id=stores["B"], amount=87)
    book("settlement", paid, date(2026, 2, 10))
    with transaction():
        ledger.reverse(
            member_id=member_id,
            entry_id=redemption_id,
            event_at=datetime(2026, 2, 5, 4, tzinfo=UTC),
            known_on=date(2026, 2, 5),
        )
    close(FEBRUARY)
    return redemption_id


def close(month: Month) -> None:
    """Close a month, with dense balances that were added up here, by other means."""
    cells: Counter[tuple[str, UUID, UUID, UUID, str, str]] = Counter()
    with transaction():
        rows = select(Line, Entry.currency).join(
            Entry, (Entry.member_id == Line.member_id) & (Entry.id == Line.entry_id)
        )
        for line, currency in db.session.execute(rows.where(Line.book_date < month.next_on)):
            for account, sign in ((line.debit, -1), (line.credit, 1)):
                cell = (account, *_kept_by(account, line), currency)
                cells[*cell, "balance"] += sign * line.amount
                cells[*cell, "cups"] += sign * line.qty
        for cell in sorted({cell[:-1] for cell in cells}, key=str):
            db.session.add(
                MonthBalance(
                    first_on=month.first_on,
                    version=1,
                    account=cell[0],
                    store_id=cell[1],
                    offer_id=cell[2],
                    counterpart_store_id=cell[3],
                    currency=cell[4],
                    balance=cells[*cell, "balance"],
                    cups=cells[*cell, "cups"],
                )
            )
        closed_at = datetime(2026, 6, 1, tzinfo=UTC)
        digest = b"\x07" * 32
        db.session.add(
            BookMonth(
                first_on=month.first_on,
                state="closed",
                version=1,
                closed_at=closed_at,
                digest=digest,
            )
        )


def seal(entry_id: UUID, *, number: int) -> None:
    """Give an entry its number."""
    with transaction():
        member_id = db.session.scalar(select(Entry.member_id).where(Entry.id == entry_id))
        row = {"number": number, "member_id": member_id, "entry_id": entry_id, "chain": b"7" * 32}
        db.session.execute(insert(Seal).values(row))


def exported(world: World, month: Month, form: str, **asked: object) -> str:
    """The text of an export."""
    offers = {offer_id: code for code, (offer_id, _) in world.offers.items()}
    with snapshot():
        return "".join(export.chunks(month=month, form=form, offers=offers, **asked))


def asserted(text: str, form: str) -> Amounts:
    """What an export says that accounts must hold at its end, by account and commodity."""
    found = [_ASSERTION[form].fullmatch(line) for line in text.splitlines()]
    return {(match[1], match[3]): int(match[2]) for match in found if match}


def posted(text: str, *, only: str = "") -> Amounts:
    """What the entries of an export add up to; `only` those whose first line has this in it."""
    amounts: Counter[tuple[str, str]] = Counter()
    for paragraph in text.split("\n\n"):
        lines = paragraph.strip("\n").split("\n")
        if only in lines[0]:
            for match in filter(None, map(_POSTING.fullmatch, lines)):
                amounts[match[1], match[3]] += int(match[2])
    return amounts


def _kept_by(account: str, line: Line) -> tuple[UUID, UUID, UUID]:
    offer_id = line.offer_id if account in _BY_OFFER else None
    other_id = line.counterpart_store_id if account in _BY_COUNTERPART else None
    return line.store_id, offer_id or NOBODY, other_id or NOBODY
