"""Short ways to sell, give back and send."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from xml.etree.ElementTree import fromstring

import chain
import invoicing
from invoicing import Invoice, InvoiceDocument, InvoiceLine, InvoiceRange, jobs
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from tests.world import World

PACK = InvoiceLine("十一杯寄杯", quantity=1, gross=500, net=476, vat=24)


@dataclass
class Selling:
    """Store A sells."""

    world: World
    folder: Path
    member_id: UUID
    entity_id: UUID

    def add_range(self, **other: Any) -> InvoiceRange:
        with transaction():
            return invoicing.add_range(
                **{
                    "legal_entity_id": self.entity_id,
                    "seller_tax_id": "04595257",
                    "seller_address": "臺北市中正區",
                    "first_on": date(2026, 1, 1),
                    "prefix": "AB",
                    "first_number": 0,
                    "last_number": 99,
                    "by_id": new_id(),
                    "now": self.world.now,
                    **other,
                }
            )

    def issue(self, source_id: UUID | None = None, **other: Any) -> UUID | None:
        """Inside a transaction."""
        return invoicing.issue(
            **{
                "member_id": self.member_id,
                "store_id": self.world.stores["A"],
                "source": "order",
                "source_id": source_id or new_id(),
                "currency": "TWD",
                "lines": [PACK],
                "buyer": None,
                "sold_at": self.world.now,
                "now": self.world.now,
                **other,
            }
        )

    def sell(self, **other: Any) -> Invoice:
        """An order of a pack, invoiced."""
        with transaction():
            invoice_id = self.issue(**other)
        assert invoice_id is not None
        return self.read(invoice_id)

    def take_back(self, invoice: Invoice, **other: Any) -> UUID | None:
        """Inside a transaction: all of it, if nothing else is said."""
        return invoicing.take_back(
            **{
                "source": invoice.source,
                "source_id": invoice.source_id,
                "cause_id": new_id(),
                "gross": invoice.gross,
                "net": invoice.net,
                "vat": invoice.vat,
                "description": "退款",
                "now": self.world.now,
                **other,
            }
        )

    def refund(self, invoice: Invoice, **other: Any) -> InvoiceDocument:
        with transaction():
            document_id = self.take_back(invoice, **other)
            document = db.session.get_one(InvoiceDocument, document_id)
            db.session.expunge_all()
            return document

    def read(self, invoice_id: UUID) -> Invoice:
        with transaction():
            found = invoicing.get_invoice(invoice_id)
            db.session.expunge_all()
            return found

    def documents(self, invoice: Invoice) -> list[InvoiceDocument]:
        with transaction():
            found = list(invoicing.documents_of(invoice.id))
            db.session.expunge_all()
            return found

    def send(self) -> list[str]:
        """Run the job; answer the names of all files there are then."""
        jobs.send()
        return self.files()

    def files(self) -> list[str]:
        return sorted(file.name for file in self.folder.glob("*"))

    def told(self, name: str) -> dict[str, str | None]:
        """What a file says, by the name of its elements."""
        root = fromstring((self.folder / f"{name}.xml").read_text(encoding="utf-8"))  # noqa: S314  our own
        return {element.tag.partition("}")[2]: element.text for element in root.iter()}


def selling(world: World, folder: Path) -> Selling:
    """A member at store A."""
    member_id = world.add_member()
    with transaction():
        owner = chain.list_owners(world.stores["A"])[0]
    return Selling(world, folder, member_id, owner.entity.id)


def taipei(moment: str) -> datetime:
    """A moment in Taipei: `2026-01-14T12:00`."""
    return datetime.fromisoformat(f"{moment}+08:00")
