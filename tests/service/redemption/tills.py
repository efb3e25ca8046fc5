"""What several tests of the till ask of the world."""

from uuid import UUID

from sqlalchemy import select, text, update

import redemption
from chain.models import Device, Product, Store
from kernel.db import db
from kernel.transaction import transaction
from redemption.answer import Redeemed
from redemption.models import Redemption
from tests.world import Till


def undo(till: Till, redeemed: Redeemed, *, now, role="clerk") -> Redemption:
    with transaction():
        return redemption.void(
            redemption_id=UUID(redeemed.id),
            store_id=till.store_id,
            staff_id=till.staff_id,
            role=role,
            now=now,
        )


def sums() -> dict[str, int]:
    """Each account's balance over all books, debits less credits."""
    with transaction():
        rows = db.session.execute(
            text(
                "SELECT account, sum(amount)::bigint FROM ("
                "SELECT debit AS account, amount FROM line"
                " UNION ALL SELECT credit, -amount FROM line) AS leg GROUP BY account"
            )
        )
        return {account: amount for account, amount in rows if amount}


def serve(till: Till, channel: str) -> None:
    """Let a device serve another channel than the counter."""
    change(Device, till.device_id, channel=channel)


def lie_in(store_id: UUID, region: str | None) -> None:
    """Put a store into a region."""
    change(Store, store_id, region=region)


def price(product_id: UUID, list_price: int) -> None:
    """Let a drink cost this from now on."""
    change(Product, product_id, list_price=list_price)


def change(model, row_id: UUID, **values) -> None:
    with transaction():
        db.session.execute(update(model).where(model.id == row_id).values(**values))


def rows(model) -> list:
    """All rows of a table, as they are now."""
    with transaction():
        found = list(db.session.scalars(select(model).order_by(model.id)))
        db.session.expunge_all()
        return found
