"""The accountants' data: accounts with their labels, and the rates of VAT."""

from datetime import date
from typing import Any

from marshmallow import ValidationError, fields, validate

from api.auth import OfficeCaller, office
from api.fields import Day, Integer, Name, Schema, Text
from api.routing import Resource
from api.spans import today
from ledger import chart
from ledger.chart import Labelled
from ledger.errors import AccountExists, AccountUnknown, PeriodClosed
from ledger.service.owning import rename_account

accounts = Resource("accounts", "/v1/accounts", "Accounts: the chart, as accountants call it.")
vat_rates = Resource("vat_rates", "/v1/vat-rates", "VAT rates: by code, from a day on.")

_FINANCE = office("finance", "admin")
_ACCOUNT_CODE = validate.Regexp(r"^[A-Za-z0-9][A-Za-z0-9.-]{0,19}(?!\n)$")
_RATE_CODE = validate.Regexp(r"^[a-z][a-z0-9-]{0,19}(?!\n)$")
_KINDS = ("asset", "liability", "income", "expense")
_ROUNDINGS = ("half_up", "half_even", "down", "up")
_SINCE_EVER = date(1970, 1, 1)


class AccountsQuery(Schema):
    """As of which day."""

    on = Day(
        load_default=None,
        metadata={"description": "The day whose labels are meant; today if none is given."},
    )


class AccountBody(Schema):
    """An account of the chain's own."""

    code = Text(
        required=True,
        least=1,
        most=20,
        validate=_ACCOUNT_CODE,
        metadata={"description": "To book on it by; never changes.", "example": "6299"},
    )
    kind = Text(
        required=True,
        validate=validate.OneOf(_KINDS),
        metadata={"description": "On which side it grows: assets and expenses by debits."},
    )
    name = Name(
        required=True, metadata={"description": "For people.", "example": "雜項支出 Sundry"}
    )
    external_code = Name(
        required=True,
        most=40,
        metadata={"description": "In the chain's own accounting; exports write it."},
    )


class LabelBody(Schema):
    """What an account is called from a day on."""

    starts_on = Day(
        required=True,
        metadata={"description": "From when; its month must not be closed."},
    )
    name = Name(required=True, metadata={"description": "For people."})
    external_code = Name(
        required=True,
        most=40,
        metadata={"description": "In the chain's own accounting.", "example": "2131-01"},
    )


class AccountView(Schema):
    """An account as it is called on a day."""

    code = Text(required=True, metadata={"description": "Lines and reports name it so."})
    kind = Text(
        required=True,
        validate=validate.OneOf(_KINDS),
        metadata={"description": "On which side it grows."},
    )
    is_built_in = fields.Boolean(
        required=True, metadata={"description": "Whether rules book on it, not only people."}
    )
    name = Text(required=True, metadata={"description": "For people."})
    external_code = Text(required=True, metadata={"description": "In the chain's own accounting."})
    starts_on = Day(required=True, metadata={"description": "Since when it is called so."})


class ChartView(Schema):
    """The chart of accounts of a day."""

    on = Day(required=True, metadata={"description": "The day."})
    items = fields.List(
        fields.Nested(AccountView), required=True, metadata={"description": "By code."}
    )


class VatRateBody(Schema):
    """A rate, and from when it holds."""

    starts_on = Day(required=True, metadata={"description": "Today or later."})
    basis_points = Integer(
        required=True,
        least=0,
        most=9_999,
        metadata={"description": "Hundredths of a percent: 5 % are 500.", "example": 500},
    )
    rounding = Text(
        load_default="half_up",
        validate=validate.OneOf(_ROUNDINGS),
        metadata={"description": "How the net of a price is rounded to whole minor units."},
    )


class VatRateView(Schema):
    """What a code's rate is from a day on, until the next one begins."""

    code = Text(required=True, metadata={"description": "Terms of offers name it so."})
    starts_on = Day(required=True, metadata={"description": "From when."})
    basis_points = Integer(
        required=True, metadata={"description": "Hundredths of a percent: 5 % are 500."}
    )
    rounding = Text(
        required=True,
        validate=validate.OneOf(_ROUNDINGS),
        metadata={"description": "How the net of a price is rounded."},
    )


class VatRatesView(Schema):
    """All rates there ever were, and those to come."""

    items = fields.List(
        fields.Nested(VatRateView),
        required=True,
        metadata={"description": "By code, then by first day."},
    )


@accounts.get("", guard=_FINANCE, query=AccountsQuery, answer=ChartView)
def list_chart(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Read the chart of accounts, as it is called on a day."""
    del caller
    on: date = query["on"] or today()
    return {"on": on, "items": chart.list_accounts(on=on)}


@accounts.post(
    "",
    guard=_FINANCE,
    body=AccountBody,
    answer=AccountView,
    status=201,
    idempotency="answer",
    refusals=(AccountExists,),
)
def open_account(*, caller: OfficeCaller, body: dict[str, Any]) -> Labelled:
    """Open an account of the chain's own, for adjustments and its export."""
    del caller
    chart.add_account(**body, starts_on=_SINCE_EVER)
    return _labelled(body["code"], _SINCE_EVER)


@accounts.put(
    "/<code>/labels",
    guard=_FINANCE,
    body=LabelBody,
    answer=AccountView,
    refusals=(AccountUnknown, PeriodClosed),
)
def label_account(*, caller: OfficeCaller, code: str, body: dict[str, Any]) -> Labelled:
    """Call an account something else from a day on, to people and in the export.

    What was exported for closed months keeps its name: the day's month must not be closed.
    """
    del caller
    _refuse_odd(code, _ACCOUNT_CODE, AccountUnknown(account=code[:20]))
    rename_account(code=code, **body)
    return _labelled(code, body["starts_on"])


@vat_rates.get("", guard=_FINANCE, answer=VatRatesView)
def list_vat_rates(*, caller: OfficeCaller) -> dict[str, Any]:
    """List the rates of VAT, all of them: also those that were, and those to come."""
    del caller
    return {"items": chart.list_rates()}


@vat_rates.put("/<code>", guard=_FINANCE, body=VatRateBody, answer=VatRateView)
def set_vat_rate(*, caller: OfficeCaller, code: str, body: dict[str, Any]) -> dict[str, Any]:
    """Let a rate hold from today or a later day on. What was sold before keeps what it had.

    A code that is new can be named by the terms of offers from then on.
    """
    del caller
    _refuse_odd(code, _RATE_CODE, ValidationError({"code": ["Invalid value."]}))
    if body["starts_on"] < today():
        raise ValidationError({"starts_on": ["Begins today or later."]})
    chart.set_rate(code=code, **body)
    return {"code": code, **body}


def _labelled(code: str, on: date) -> Labelled:
    return next(account for account in chart.list_accounts(on=on) if account.code == code)


def _refuse_odd(code: str, pattern: validate.Regexp, refusal: Exception) -> None:
    """Refuse a code that nothing can have."""
    try:
        pattern(code)
    except ValidationError as problem:
        raise refusal from problem
