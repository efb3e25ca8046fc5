"""A receipt as a page to print: HTML that loads nothing."""

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from html import escape

from kernel.wording import Fact, Money, say
from vouchers import Receipt, receipt_words
from vouchers.service.receipt import ReceiptLine

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem}"
    "table{width:100%;border-collapse:collapse}th,td{text-align:left;padding:.25rem .5rem .25rem 0;"
    "border-bottom:1px solid #ccc;vertical-align:top}td.n,th.n{text-align:right}"
    "section{break-inside:avoid}@media print{body{margin:0}}"
)
_DIGEST = b64encode(sha256(_STYLE.encode()).digest()).decode()

POLICY = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; frame-ancestors 'none'"
"""What the page may load: its own style, and nothing else."""


def page(receipt: Receipt) -> str:
    """Write the page. Everything that somebody has named is escaped."""
    title = escape(_label(receipt, "receipt"))
    return (
        f'<!doctype html><html lang="{receipt.language}"><head><meta charset="utf-8">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>"
        f"{_facts(receipt)}{_table(receipt)}{_invoices(receipt)}"
        f"{''.join(_terms(receipt, line) for line in receipt.lines)}</body></html>"
    )


def _facts(receipt: Receipt) -> str:
    rows = [
        ("seller", receipt.seller.name),
        ("tax_id", receipt.seller_tax_id),
        ("store", receipt.store.name),
        ("order", str(receipt.order.id)),
        ("sold_at", _said(receipt, receipt.paid_at)),
    ]
    told = "".join(
        f"<tr><th>{escape(_label(receipt, name))}</th><td>{escape(fact)}</td></tr>"
        for name, fact in rows
        if fact is not None
    )
    return f"<table>{told}</table>"


def _table(receipt: Receipt) -> str:
    head = "".join(
        f"<th{kind}>{escape(_label(receipt, name))}</th>"
        for name, kind in (("item", ""), ("quantity", ' class="n"'), ("amount", ' class="n"'))
    )
    bought = "".join(_row(receipt, line) for line in receipt.lines)
    sums = "".join(
        f'<tr><th colspan="2">{escape(_label(receipt, name))}</th>'
        f'<td class="n">{escape(_money(receipt, amount))}</td></tr>'
        for name, amount in (
            ("net", receipt.net), ("vat", receipt.vat), ("total", receipt.order.total)
        )
    )  # fmt: skip
    return f"<table><tr>{head}</tr>{bought}{sums}</table>"


def _row(receipt: Receipt, line: ReceiptLine) -> str:
    item = line.ordered.item
    return (
        f"<tr><td>{escape(line.ordered.version.name)}</td>"
        f'<td class="n">{item.quantity * (item.gift_periods or 1)}</td>'
        f'<td class="n">{escape(_money(receipt, item.gross))}</td></tr>'
    )


def _invoices(receipt: Receipt) -> str:
    numbers = [invoice.number for invoice in receipt.invoices if invoice.number is not None]
    if not numbers:
        return ""
    return _listed(_label(receipt, "invoices"), numbers)


def _terms(receipt: Receipt, line: ReceiptLine) -> str:
    guaranteed = (
        []
        if line.guarantee is None
        else [receipt_words.guarantee_in_words(line.guarantee, receipt.language)]
    )
    parts = [("terms", line.terms), ("refunds", line.refunds), ("guarantee", guaranteed)]
    told = "".join(_listed(_label(receipt, name), words) for name, words in parts if words)
    return f"<section><h2>{escape(line.ordered.version.name)}</h2>{told}</section>"


def _listed(title: str, words: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in words)
    return f"<h3>{escape(title)}</h3><ul>{items}</ul>"


def _label(receipt: Receipt, name: str) -> str:
    return receipt_words.label(name, receipt.language)


def _money(receipt: Receipt, amount: int) -> str:
    return _said(receipt, Money(amount, receipt.order.currency))


def _said(receipt: Receipt, fact: Fact) -> str:
    zone = receipt.store.time_zone
    return say("{fact}", {"fact": fact}, language=receipt.language, time_zone=zone)
