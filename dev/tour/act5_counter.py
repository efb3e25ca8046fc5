"""Act 5: a pack is sold at the counter, for cash, and what is left of it given back."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from dev.tour.act3_redeem import CONFLICT, check_refusal, close_till, redeem, wanted
from dev.tour.expected import TAIPEI
from dev.tour.tour import ONE_STORE, Act, Tour

_NOT_FOUND = 404
_PRICE = 240
_COLLECTED = 2
_WORDS = {
    "en": ("Collect them at the store that sold them.", "No fee is kept."),
    "zh-TW": ("限於售出門市兌換。", "退款不收手續費。"),
}
_FILES = "file:"


def sell(tour: Tour) -> None:
    """A clerk at A sells Bob five cups for NT$240 in cash, who says his number."""
    bob, terms = tour.bob, tour.chain.offers[ONE_STORE]
    body = {
        "items": [{"offer_id": terms["id"], "quantity": 1}],
        "member": {"phone": bob.phone},
        "method": "cash",
    }
    sold = tour.tills["A"].api.post("/v1/counter-orders", body)
    order, payment = sold["order"], sold["payment"]
    bob.counter_order_id = order["id"]
    seen = (order["status"], order["total"]["amount"], payment["status"])
    tour.story.check("the order", expected=("fulfilled", _PRICE, "succeeded"), seen=seen)
    held = bob.newest_lot(ONE_STORE)
    tour.story.check("cups in Bob's wallet", expected=terms["cups"], seen=held["left"])
    bob.one_store = tour.books.sell(
        offer=ONE_STORE, store="A", price=_PRICE, cups=terms["cups"], at=held["sold_at"]
    )
    tour.story.check("cash in the shift", expected=_PRICE, seen=_cash(tour))


def read_receipt(tour: Tour) -> None:
    """Bob reads the receipt, in English and in Chinese: terms, refunds, and the guarantee."""
    for language, (good_at, fee) in _WORDS.items():
        receipt = _receipt(tour, language)
        line = receipt["lines"][0]
        tour.story.check("its language", expected=language, seen=receipt["language"])
        tour.story.check(f"its terms say “{good_at}”", expected=True, seen=good_at in line["terms"])
        tour.story.check(f"of refunds “{fee}”", expected=True, seen=fee in line["refunds"])
        guarantee = _year_from(receipt["paid_at"])
        tour.story.check("guaranteed", expected=guarantee, seen=line["guarantee"])


def read_invoice(tour: Tour) -> None:
    """The e-invoice gets its number, and its file is there for the tax office's program."""
    number = tour.story.wait("a job gives it a number", lambda: _invoice(tour)["number"])
    told = _file(tour, f"F0401-{number}")
    tour.story.check("its file says", expected=_PRICE, seen=int(_in(told, "TotalAmount")))
    buyer = told.find("{*}Main/{*}Buyer/{*}Identifier")
    is_person = buyer is not None and buyer.text == "0000000000"
    tour.story.check("it is made out to a person", expected=True, seen=is_person)


def collect(tour: Tour) -> None:
    """Bob collects two cups at A; B had not sold them, and hands over none."""
    bob, lot = tour.bob, tour.bob.one_store
    answer = tour.tills["B"].api.send("POST", "/v1/redemptions", wanted(tour, bob, lot, cups=1))
    check_refusal(tour, "a cup at B", answer, CONFLICT, "store-not-accepted")
    redeem(tour, bob, lot, store="A", cups=_COLLECTED)


def give_back(tour: Tour) -> None:
    """Bob gives the other three back: the preview says how much comes, and so much comes."""
    bob, lot = tour.bob, tour.bob.one_store
    wish = {"order_id": bob.counter_order_id}
    expected, left = lot.back_as_carried(), lot.left
    previewed = bob.api.post("/v1/refunds/preview", wish)["refunds"][0]
    tour.story.check("the preview", expected=expected, seen=previewed["payable"]["amount"])
    tour.story.tell(f"it says: {previewed['lines'][0]['why']}")
    made = bob.api.post("/v1/refunds", wish)["refunds"][0]
    seen = {name: made[name] for name in previewed}
    tour.story.check("the refund is the same", expected=previewed == seen, seen=True)
    tour.owed_in_cash = expected
    net = tour.books.refund(lot, at=made["refunded_at"])
    event = bob.happened("refund")[0]
    seen_event = (event["cups"], event["amount"]["amount"], event["paid"]["amount"])
    what = "cups, net and money in his history"
    tour.story.check(what, expected=(-left, -net, -expected), seen=seen_event)
    tour.story.check("until cash is handed out it is", expected="owed", seen=made["status"])
    again = bob.api.send("POST", "/v1/refunds", wish)
    check_refusal(tour, "a second refund", again, CONFLICT, "nothing-to-refund")
    _read_allowance(tour, expected)


def hand_out(tour: Tour) -> None:
    """The clerk hands the cash out, to nobody but Bob."""
    at_a, bob = tour.tills["A"].api, tour.bob
    waiting = at_a.everything("/v1/cash-repayments")[-1]
    back = tour.owed_in_cash
    tour.story.check("it waits at the tills", expected=back, seen=waiting["amount"]["amount"])
    path = f"/v1/cash-repayments/{waiting['id']}/hand-out"
    refused = at_a.send("POST", path, {"member": {"phone": tour.alice.phone}})
    check_refusal(tour, "Alice asks for it", refused, _NOT_FOUND, "not-found")
    handed = at_a.post(path, {"member": {"phone": bob.phone}})
    tour.story.check("Bob asks for it", expected="succeeded", seen=handed["status"])
    tour.story.check("cash in the shift", expected=_PRICE - back, seen=_cash(tour))

    def paid() -> Any:
        made = bob.api.get("/v1/refunds")["items"][0]
        return made if made["status"] == "paid" else None

    made = tour.story.wait("the refund is paid", paid)
    tour.story.check("paid back", expected=back, seen=made["payable"]["amount"])


def count(tour: Tour) -> None:
    """The clerk counts the drawer; then the tills of this tour are revoked."""
    left = _cash(tour)
    counted = {"counted": [{"currency": "TWD", "amount": left}]}
    closed = tour.tills["A"].api.post("/v1/shifts/current/close", counted)["sums"][0]
    seen = (closed["cash"]["amount"], closed["difference"]["amount"])
    tour.story.check("cash of the shift, and what lacks", expected=(left, 0), seen=seen)
    for store in sorted(tour.tills):
        close_till(tour, store)


def _cash(tour: Tour) -> int:
    sums = tour.tills["A"].api.get("/v1/shifts/current/total")["sums"]
    return sum(one["cash"]["amount"] for one in sums)


def _receipt(tour: Tour, language: str) -> Any:
    path = f"/v1/orders/{tour.bob.counter_order_id}/receipt"
    return tour.bob.api.send("GET", path, language=language).document


def _invoice(tour: Tour) -> Any:
    return _receipt(tour, "en")["invoices"][0]


def _read_allowance(tour: Tour, expected: int) -> None:
    """The e-invoice is taken back by as much, which the tax office hears too."""
    finance, stores = tour.desks.of("finance"), tour.chain.stores
    invoices = finance.everything("/v1/invoices", store_id=stores["A"])
    order_id = tour.bob.counter_order_id
    invoice = next(one for one in invoices if one["source_id"] == order_id)

    def sent() -> Any:
        documents = finance.get(f"/v1/invoices/{invoice['id']}")["documents"]
        return next((one for one in documents if _is_sent_allowance(one)), None)

    tour.story.wait("a job sends an allowance", sent)
    number = invoice["number"]
    told = _file(tour, f"G0401-{number}*")
    given_back = int(_in(told, "TotalAmount")) + int(_in(told, "TaxAmount"))
    tour.story.check("its file says, with VAT", expected=expected, seen=given_back)
    about = told.find("{*}Details/{*}ProductItem/{*}OriginalInvoiceNumber")
    told_of = about is not None and about.text
    tour.story.check("it is about the invoice", expected=number, seen=told_of)


def _file(tour: Tour, name: str) -> ET.Element:
    folder = Path(tour.environment["INVOICE_TO"].removeprefix(_FILES))
    path = tour.story.wait(f"{name}.xml is written", lambda: next(folder.glob(f"{name}.xml"), None))
    return ET.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314  Jibei has written it


def _is_sent_allowance(document: Mapping[str, Any]) -> bool:
    return (document["kind"], document["status"]) == ("allowance", "sent")


def _in(told: ET.Element, name: str) -> str:
    return told.findtext(f"{{*}}Amount/{{*}}{name}", default="nothing")


def _year_from(moment: str) -> dict[str, str]:
    """The day of the sale, and the last of the year that begins with it."""
    first = datetime.fromisoformat(moment).astimezone(TAIPEI).date()
    if (first.month, first.day) == (2, 29):
        last = date(first.year + 1, 2, 28)
    else:
        last = first.replace(year=first.year + 1) - timedelta(days=1)
    return {"from": f"{first}", "until": f"{last}"}


ACT = Act(
    "5  A pack over the counter",
    (sell, read_receipt, read_invoice, collect, give_back, hand_out, count),
)
