"""E-invoices: what is owed per sale, given back, numbered, and told to the tax office."""

from invoicing import policy
from invoicing.buyer import Buyer, check_buyer, is_tax_id
from invoicing.errors import BuyerInvalid, RangeInvalid, RangeOverlaps
from invoicing.models import Invoice, InvoiceDocument, InvoiceRange
from invoicing.queries import (
    Filter,
    documents_of,
    find_by_number,
    find_invoice,
    get_invoice,
    invoices_of_member,
    lines_of,
    list_invoices,
)
from invoicing.service.issue import InvoiceLine, Sale, issue, issue_all
from invoicing.service.ranges import add_range, list_ranges
from invoicing.service.take_back import take_back

__all__ = [
    "Buyer",
    "BuyerInvalid",
    "Filter",
    "Invoice",
    "InvoiceDocument",
    "InvoiceLine",
    "InvoiceRange",
    "RangeInvalid",
    "RangeOverlaps",
    "Sale",
    "add_range",
    "check_buyer",
    "documents_of",
    "find_by_number",
    "find_invoice",
    "get_invoice",
    "invoices_of_member",
    "is_tax_id",
    "issue",
    "issue_all",
    "lines_of",
    "list_invoices",
    "list_ranges",
    "policy",
    "take_back",
]
