"""The receipt of an order: who sold what on which terms, and what its buyer may rely on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

import chain
import invoicing
from chain.models import LegalEntity, Store
from chain.policy import local_day
from invoicing import Invoice
from kernel.db import db
from kernel.wording import Language
from vouchers import receipt_words
from vouchers.models import Lot, Order
from vouchers.order_errors import NoReceiptYet
from vouchers.queries import Ordered, OrderedItem, get_order
from vouchers.receipt_words import Guarantee
from vouchers.terms import list_terms


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """What was bought, on which terms, in words."""

    ordered: OrderedItem
    terms: Sequence[str]
    refunds: Sequence[str]
    guarantee: Guarantee | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """An order that was paid, with its seller on the day of the sale, and its invoices so far."""

    order: Order
    seller: LegalEntity
    store: Store
    paid_at: datetime
    lines: Sequence[ReceiptLine]
    invoices: Sequence[Invoice]
    language: Language

    @property
    def seller_tax_id(self) -> str | None:
        """The seller's tax id, as soon as an invoice has its number."""
        return next((one.seller_tax_id for one in self.invoices if one.seller_tax_id), None)

    @property
    def net(self) -> int:
        return sum(line.ordered.item.net for line in self.lines)

    @property
    def vat(self) -> int:
        return sum(line.ordered.item.vat for line in self.lines)


def get_receipt(*, member_id: UUID, order_id: UUID, language: Language) -> Receipt:
    """Write the receipt of a member's order in a language.

    Raises:
        NotFound: the member has no such order.
        NoReceiptYet: nothing was paid, or its cups are on their way still.
    """
    ordered = get_order(member_id=member_id, order_id=order_id)
    order = ordered.order
    if order.paid_at is None:
        raise NoReceiptYet(order_status=order.status)
    store = chain.get_store(order.store_id)
    sold_on = local_day(order.paid_at, time_zone=store.time_zone)
    owners = [owner for owner in chain.list_owners(store.id) if owner.starts_on <= sold_on]
    terms = list_terms([line.version for line in ordered.items])
    return Receipt(
        order=order,
        seller=owners[-1].entity,
        store=store,
        paid_at=order.paid_at,
        lines=[
            ReceiptLine(
                line,
                receipt_words.terms_in_words(terms[line.version.id], language),
                receipt_words.refunds_in_words(terms[line.version.id], language),
                receipt_words.guarantee_of(sold_on=sold_on, months=line.version.guarantee_months),
            )
            for line in ordered.items
        ],
        invoices=_invoices(ordered),
        language=language,
    )


def _invoices(ordered: Ordered) -> list[Invoice]:
    """Those of the packs together, and of each plan's first period, which the order paid too."""
    item_ids = [line.item.id for line in ordered.items]
    of_plans = select(Lot.source_id).where(Lot.order_item_id.in_(item_ids), Lot.source == "period")
    sources = [
        ("order", ordered.order.id),
        *(("period", period_id) for period_id in db.session.scalars(of_plans.order_by(Lot.id))),
    ]
    found = [invoicing.find_invoice(source=kind, source_id=of) for kind, of in sources]
    return [invoice for invoice in found if invoice is not None]
