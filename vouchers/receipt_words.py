"""The terms of an offer in words, for receipts and for whoever is about to buy. Pure.

Every sentence that a shopper reads about the terms is in this file, in both languages.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from dateutil.relativedelta import relativedelta

from kernel.wording import Count, Language, Money, Unit, say

_DAY: Final = relativedelta(days=1)
_PERCENT = 100
_MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Span:
    """So many days, weeks, months or years after the sale."""

    count: int
    unit: str


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a version of an offer, as far as a shopper cares.

    `ends` is the span after which `expiry_mode` takes effect, `bonus_ends` that of bonus cups which
    are a lot of their own. `products` and `places` are names; `places` are stores or regions, by
    `accepted_at`. Amounts are in minor units of `currency`.
    """

    unit: Unit
    cups: int
    bonus_cups: int
    currency: str
    list_price: int | None
    expiry_mode: str
    ends: Span | None
    bonus_ends: Span | None
    products: Sequence[str]
    accepted_at: str
    places: Sequence[str]
    redeem_channels: Sequence[str] | None
    covers_up_to: int | None
    allows_top_up: bool
    max_cups: int | None
    cups_per_day: int | None
    is_giftable: bool
    gift_unclaimed: str
    refund_basis: str
    refund_fee_bp: int
    withdrawal_days: int
    is_taxed_at_sale: bool = True
    is_plan: bool = False
    is_unlimited: bool = False
    minimum_interval_s: int | None = None

    @property
    def is_membership(self) -> bool:
        """Whether it gives no cups at all."""
        return self.cups == 0 and not self.is_unlimited

    @property
    def is_counted(self) -> bool:
        """Whether it gives so many cups; else it is good by the day."""
        return self.cups > 0


@dataclass(frozen=True, slots=True)
class Guarantee:
    """The days on which the performance of what was sold is guaranteed, both included."""

    from_on: date
    until_on: date


def guarantee_of(*, sold_on: date, months: int) -> Guarantee | None:
    """The guarantee of so many months from the day of the sale, which is its first day.

    Of a year from 15 January, the last day is 14 January. Where the last month has no such day it
    is that month's last (Civil Code, article 121). None where nothing is guaranteed.
    """
    if months == 0:
        return None
    after = sold_on + relativedelta(months=months)
    is_shorter = after.day < sold_on.day
    return Guarantee(sold_on, after if is_shorter else after - _DAY)


def terms_in_words(terms: Terms, language: Language) -> list[str]:
    """What the cups are good for: products, places, how many, until when and then, giving."""
    return [_said(words, language, facts) for words, facts in _terms(terms, language)]


def refunds_in_words(terms: Terms, language: Language) -> list[str]:
    """What comes back of unused cups, and to whom."""
    return [_said(words, language, facts) for words, facts in _refunds(terms)]


def guarantee_in_words(guarantee: Guarantee, language: Language) -> str:
    """Until when the performance is guaranteed."""
    facts = {"from_on": guarantee.from_on, "until_on": guarantee.until_on}
    return _said("guarantee", language, facts)


def label(name: str, language: Language) -> str:
    """A word of the receipt itself."""
    return _LABELS[name][_at(language)]


Sentence = tuple[str, dict[str, Any]]


def _terms(terms: Terms, language: Language) -> Iterator[Sentence]:
    if terms.is_membership:
        yield "membership", {}
        return
    names = _COMMA[_at(language)]
    if terms.products:
        yield "products", {"products": names.join(terms.products)}
    else:
        yield "any_product", {}
    if terms.covers_up_to is not None:
        covered = {"price": Money(terms.covers_up_to, terms.currency)}
        yield ("dearer" if terms.allows_top_up else "covers"), covered
    yield f"at_{terms.accepted_at}", {"places": names.join(terms.places)}
    if terms.redeem_channels is not None:
        channels = [label(f"at {one}", language) for one in terms.redeem_channels]
        yield "channels", {"channels": names.join(channels)}
    yield from _amounts(terms)
    yield from _end(terms, language)
    yield from _bonus(terms, language)
    yield from _giving(terms)
    if not terms.is_taxed_at_sale:
        yield "taxed_later", {}


def _amounts(terms: Terms) -> Iterator[Sentence]:
    if terms.is_unlimited:
        yield "unlimited", {}
    elif terms.max_cups is None:
        yield "any_at_once", {}
    else:
        yield "at_once", {"most": Count(terms.max_cups, terms.unit)}
    if terms.is_unlimited and terms.max_cups is not None:
        yield "each_time", {"most": Count(terms.max_cups, terms.unit)}
    if terms.cups_per_day is not None:
        yield "a_day", {"most": Count(terms.cups_per_day, terms.unit)}
    if terms.minimum_interval_s is not None:
        yield "interval", {"minutes": -(-terms.minimum_interval_s // _MINUTE_S)}


def _end(terms: Terms, language: Language) -> Iterator[Sentence]:
    if terms.is_plan:
        yield ("period" if terms.is_counted else "days"), {}
    elif terms.ends is None:
        yield "never", {}
    else:
        yield terms.expiry_mode, {"span": _span(terms.ends, language)}


def _bonus(terms: Terms, language: Language) -> Iterator[Sentence]:
    if terms.bonus_cups == 0:
        return
    bonus = {"bonus": Count(terms.bonus_cups, terms.unit)}
    if terms.bonus_ends is None:
        yield "bonus", bonus
    else:
        yield "own_bonus", {**bonus, "span": _span(terms.bonus_ends, language)}


def _giving(terms: Terms) -> Iterator[Sentence]:
    if terms.is_giftable and terms.is_counted:
        yield f"gift_{terms.gift_unclaimed}", {}
    else:
        yield "no_gift", {}


def _refunds(terms: Terms) -> Iterator[Sentence]:
    if terms.withdrawal_days:
        yield "withdrawal", {"days": terms.withdrawal_days}
    if terms.refund_basis == "none":
        yield "refund_none", {}
        return
    price = Money(terms.list_price or 0, terms.currency)
    basis = f"refund_{terms.refund_basis}" if terms.is_counted else "refund_days"
    yield basis, {"price": price}
    if terms.refund_fee_bp:
        yield "fee", {"percent": _percent(terms.refund_fee_bp)}
    else:
        yield "no_fee", {}
    yield "to_payer", {}


def _span(span: Span, language: Language) -> str:
    zh, en = _SPANS[span.unit]
    if language == "zh-TW":
        return f"{span.count} {zh}"
    return f"{span.count} {en}{'' if span.count == 1 else 's'}"


def _percent(basis_points: int) -> str:
    whole, rest = divmod(basis_points, _PERCENT)
    return f"{whole}.{rest:02}".rstrip("0").rstrip(".")


def _said(name: str, language: Language, facts: dict[str, Any]) -> str:
    return say(_SENTENCES[name][_at(language)], facts, language=language, time_zone="UTC")


def _at(language: Language) -> int:
    return 0 if language == "zh-TW" else 1


_COMMA: Final = ("、", ", ")

_SPANS: Final = {
    "day": ("天", "day"),
    "week": ("週", "week"),
    "month": ("個月", "month"),
    "year": ("年", "year"),
}

_SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "products": ("可兌換品項：{products}。", "Good for: {products}."),
    "any_product": ("全品項皆可兌換。", "Good for any of our drinks."),
    "covers": (
        "限兌換定價 {price} 以下之品項，不可補差價升級。",
        "Covers drinks with a list price of up to {price}; dearer ones cannot be had for it.",
    ),
    "dearer": (
        "可兌換定價 {price} 以下之品項；較貴的品項於取用時補差價。",
        (
            "Covers drinks with a list price of up to {price}; for a dearer one you pay"
            " the difference"
            " when you collect it."
        ),
    ),
    "at_all": ("全部門市皆可兌換。", "Collect them at any of our stores."),
    "at_selling": ("限於售出門市兌換。", "Collect them at the store that sold them."),
    "at_listed": ("可兌換門市：{places}。", "Collect them at: {places}."),
    "at_regions": ("可兌換地區：{places}。", "Collect them at our stores in: {places}."),
    "channels": ("取用方式：{channels}。", "Ways to collect them: {channels}."),
    "any_at_once": ("可分次兌換，每次數量不限。", "Collect them a few at a time, or all at once."),
    "at_once": ("可分次兌換，每次最多 {most}。", "Collect them a few at a time, at most {most}."),
    "a_day": ("每日最多兌換 {most}。", "At most {most} a day."),
    "membership": (
        "會員資格於每一已付費期間內有效。",
        "A membership, good in each period that is paid.",
    ),
    "unlimited": ("期間內兌換數量不限。", "As many as you like."),
    "each_time": ("每次最多兌換 {most}。", "At most {most} at one time."),
    "interval": (
        "兩次兌換須間隔至少 {minutes} 分鐘。",
        "At least {minutes} minutes from one to the next.",
    ),
    "days": ("於每一已付費期間內有效。", "Good in each period that is paid."),
    "period": (
        "於每一已付費期間內有效；期末未兌換者失效，方案可留用者除外。",
        "Good in each period that is paid; what the plan does not carry on lapses at its end.",
    ),
    "never": ("無使用期限。", "They never expire."),
    "lapse": (
        "自售出日起 {span}內有效，逾期未兌換者失效。",
        "Good for {span} from the day of the sale; what is left then lapses.",
    ),
    "top_up": (
        "自售出日起 {span}內可直接兌換；逾期仍可按已付金額抵用，補足當日定價之差額。",
        (
            "Good for {span} from the day of the sale. After that each keeps the value"
            " that you paid"
            " for it: you pay the difference to the list price of that day."
        ),
    ),
    "refund": (
        "自售出日起 {span}內有效；逾期未兌換者，其價金自動退還付款人。",
        (
            "Good for {span} from the day of the sale; what is left then is refunded to"
            " the payer by"
            " itself."
        ),
    ),
    "bonus": (
        "內含贈送 {bonus}，條件與其餘相同。",
        "Included free: {bonus}, on the same terms as the others.",
    ),
    "own_bonus": (
        "內含贈送 {bonus}，自售出日起 {span}內有效，逾期未兌換者失效。",
        "Included free: {bonus}, good for {span} from the day of the sale; the rest then lapses.",
    ),
    "gift_return": (
        "可轉贈他人；未被領取者退回贈送人。",
        "You can give them to somebody; what nobody claims comes back to the giver.",
    ),
    "gift_refund": (
        "可轉贈他人；未被領取者退款給付款人。",
        "You can give them to somebody; what nobody claims is refunded to the payer.",
    ),
    "no_gift": ("不可轉贈他人。", "They cannot be given to somebody else."),
    "taxed_later": (
        "本券為現金價值禮券，於兌換時開立發票。",
        "A cash-value voucher: its invoice is issued when it is redeemed.",
    ),
    "withdrawal": (
        "以網路或 App 購買者，購買後 {days} 日內得無條件退回未使用部分，不收任何費用。",
        (
            "Bought on the web or in the app, what is unused can be given back within"
            " {days} days of"
            " the purchase, free of charge and without a reason."
        ),
    ),
    "refund_none": (
        "除法定情形外，恕不退款。",
        "Otherwise it is refunded only where the law says so.",
    ),
    "refund_allocated": (
        "未使用部分可隨時退款，按每份實付金額計算。",
        "What is unused can be given back at any time, at what was paid for each.",
    ),
    "refund_days": (
        "剩餘期間可隨時退款，按日計算。",
        "The days that are left can be given back at any time, each at its part of the price.",
    ),
    "refund_list_price": (
        "未使用部分可隨時退款：退還實付總額扣除已使用部分之定價（每份 {price}），不足時不另退款。",
        (
            "What is unused can be given back at any time: what was paid, less {price}"
            " list price for"
            " each one that was used, if anything is left of it."
        ),
    ),
    "fee": ("退款手續費為退款金額之 {percent}%。", "A fee of {percent} % of the refund is kept."),
    "no_fee": ("退款不收手續費。", "No fee is kept."),
    "to_payer": (
        "款項一律退回付款人原付款方式，不以點數或折價券代替。",
        "The money always goes back to the payer, the way they paid: never as points or coupons.",
    ),
    "guarantee": (
        "本商品之履約保證期間自 {from_on} 起至 {until_on} 止。",
        "What was sold is guaranteed to be delivered from {from_on} until {until_on}.",
    ),
}

_LABELS: Final[dict[str, tuple[str, str]]] = {
    "receipt": ("購買憑證", "Receipt"),
    "seller": ("售出人", "Seller"),
    "tax_id": ("統一編號", "Tax id"),
    "store": ("售出門市", "Store"),
    "order": ("訂單編號", "Order"),
    "sold_at": ("售出時間", "Sold"),
    "item": ("品項", "Item"),
    "quantity": ("數量", "Quantity"),
    "amount": ("金額", "Amount"),
    "net": ("未稅金額", "Without VAT"),
    "vat": ("營業稅", "VAT"),
    "total": ("總計", "Total"),
    "terms": ("使用條件", "Terms"),
    "refunds": ("退款規則", "Refunds"),
    "guarantee": ("履約保證", "Guarantee"),
    "invoices": ("電子發票號碼", "E-invoices"),
    "at counter": ("櫃檯", "at the counter"),
    "at kiosk": ("自助點餐機", "at a kiosk"),
    "at drive-through": ("得來速", "at the drive-through"),
    "at delivery": ("外送", "by delivery"),
}
