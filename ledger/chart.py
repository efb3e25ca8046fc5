"""The accountants' data: the chart of accounts with its labels, and the rates of VAT."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on, insert

from kernel.db import db
from kernel.errors import NotFound
from kernel.money import Rounding, Taxed, without_vat
from ledger import policy
from ledger.errors import AccountUnknown
from ledger.models import Account, AccountLabel, VatRate

SINCE_EVER = date(1970, 1, 1)

_BUILT_IN = (
    (policy.CASH, "asset", "現金及支付機構 Cash and payment provider"),
    (policy.DUE_FROM_STORE, "asset", "應收他店 Due from stores"),
    (policy.DISPUTED, "asset", "爭議款 Disputed payments"),
    (policy.VOUCHERS, "liability", "合約負債—寄杯 Contract liability, vouchers"),
    (policy.PLANS, "liability", "合約負債—訂閱 Contract liability, plans"),
    (policy.REFUND_PAYABLE, "liability", "應付退款 Refunds payable"),
    (policy.UNDER_WAY, "liability", "合約負債—轉移中 Contract liability, under way"),
    (policy.BREAKAGE_CONTRA, "liability", "合約負債減項—未兌換 Breakage, contra"),
    (policy.DUE_TO_STORE, "liability", "應付他店 Due to stores"),
    (policy.OUTPUT_VAT, "liability", "銷項稅額 Output VAT"),
    (policy.CUPS, "income", "飲品收入 Cups"),
    (policy.MEMBERSHIP, "income", "會員收入 Membership"),
    (policy.BREAKAGE, "income", "未兌換收入 Breakage"),
    (policy.FEES, "income", "手續費收入 Fees"),
    (policy.TOP_UPS, "income", "補差價收入 Top-ups"),
    (policy.CHARGEBACK_LOSS, "expense", "爭議損失 Chargeback losses"),
)
_RATES = (("standard", 500), ("zero", 0))


def install_chart() -> None:
    """Open the accounts that the rules book on and the usual rates of VAT, where they are not yet.

    Rates are Taiwan's; a chain elsewhere adds its own from the day it starts.
    """
    accounts = [{"code": code, "kind": kind, "is_built_in": True} for code, kind, _ in _BUILT_IN]
    labels = [
        {"code": code, "starts_on": SINCE_EVER, "name": name, "external_code": code}
        for code, _, name in _BUILT_IN
    ]
    rates = [
        {"code": code, "starts_on": SINCE_EVER, "basis_points": rate, "rounding": "half_up"}
        for code, rate in _RATES
    ]
    for table, rows in ((Account, accounts), (AccountLabel, labels), (VatRate, rates)):
        db.session.execute(insert(table).values(rows).on_conflict_do_nothing())


@dataclass(frozen=True, slots=True)
class Labelled:
    """An account as it is called on a day."""

    code: str
    kind: str
    is_built_in: bool
    name: str
    external_code: str
    starts_on: date


def list_accounts(*, on: date) -> Sequence[Labelled]:
    """The chart as it is called on a day, by code."""
    label = (
        select(AccountLabel)
        .where(AccountLabel.starts_on <= on)
        .ext(distinct_on(AccountLabel.code))
        .order_by(AccountLabel.code, AccountLabel.starts_on.desc())
        .subquery()
    )
    rows = db.session.execute(
        select(
            Account.code,
            Account.kind,
            Account.is_built_in,
            label.c.name,
            label.c.external_code,
            label.c.starts_on,
        )
        .join(label, label.c.code == Account.code)
        .order_by(Account.code)
    )
    return [Labelled(*row) for row in rows]


def add_account(*, code: str, kind: str, name: str, external_code: str, starts_on: date) -> None:
    """Open an account of the chain's own, for adjustments and its own export."""
    db.session.add(Account(code=code, kind=kind, is_built_in=False))
    db.session.flush()
    label_account(code=code, name=name, external_code=external_code, starts_on=starts_on)


def label_account(*, code: str, name: str, external_code: str, starts_on: date) -> None:
    """Call an account something else from a day on, to people and in the export.

    Raises:
        AccountUnknown: the chart has no such account.
    """
    if db.session.get(Account, code) is None:
        raise AccountUnknown(account=code)
    said = {"name": name, "external_code": external_code}
    row = insert(AccountLabel).values(code=code, starts_on=starts_on, **said)
    db.session.execute(row.on_conflict_do_update(index_elements=["code", "starts_on"], set_=said))


def list_rates() -> Sequence[VatRate]:
    """All rates of VAT there ever were, by code and first day."""
    return db.session.scalars(select(VatRate).order_by(VatRate.code, VatRate.starts_on)).all()


def set_rate(*, code: str, starts_on: date, basis_points: int, rounding: Rounding) -> None:
    """Let a rate of VAT hold from a day on; what was sold before keeps what was taken then."""
    said = {"basis_points": basis_points, "rounding": rounding}
    row = insert(VatRate).values(code=code, starts_on=starts_on, **said)
    db.session.execute(row.on_conflict_do_update(index_elements=["code", "starts_on"], set_=said))


def taxed(gross: int, *, code: str, on: date) -> Taxed:
    """Take the VAT out of a price, by the rate that a code has on a day.

    Raises:
        NotFound: the code has no rate yet on that day.
    """
    rate = db.session.scalar(
        select(VatRate)
        .where(VatRate.code == code, VatRate.starts_on <= on)
        .order_by(VatRate.starts_on.desc())
        .limit(1)
    )
    if rate is None:
        raise NotFound
    rounding: Rounding = rate.rounding  # type: ignore[assignment]  # the table knows no other
    return without_vat(gross, basis_points=rate.basis_points, rounding=rounding)
