"""What a member holds, how it came and went, and the codes that spend it."""

from collections.abc import Sequence
from typing import Any, Literal

from flask import Response
from marshmallow import Schema, fields, validate

import ledger
import redemption
import vouchers
from api.auth import MemberCaller, member
from api.fields import Id, Integer, MoneyField, Text, Timestamp
from api.paging import Page, Position, page_of, paged
from api.routing import Resource
from kernel import clock
from ledger.history import Happening
from redemption import Issued, picture
from vouchers.holdings import Holding

wallet = Resource("wallet", "/v1/wallet", "The wallet: a member's cups, their history, their QR.")

_PICTURES = {"svg": (picture.svg, "image/svg+xml"), "png": (picture.png, "image/png")}


class LotView(Schema):
    """Cups of one kind from one purchase or plan period."""

    id = Id(required=True, metadata={"description": "Opaque."})
    offer = Text(required=True, metadata={"description": "The pack's or plan's code."})
    name = Text(required=True, metadata={"description": "Its name, on the terms it was sold on."})
    cups = Integer(required=True, metadata={"description": "How many it had."})
    left = Integer(required=True, metadata={"description": "How many can still be collected."})
    sold_at = Timestamp(required=True, metadata={"description": "When it was bought."})
    ends_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When it ends; null for never."}
    )
    is_frozen = fields.Boolean(
        required=True, metadata={"description": "Whether a disputed payment holds it back."}
    )


class BalanceView(Schema):
    """Cups of one offer that end together."""

    offer = Text(required=True, metadata={"description": "The pack's or plan's code."})
    name = Text(required=True, metadata={"description": "Its name."})
    left = Integer(required=True, metadata={"description": "How many can still be collected."})
    ends_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When they end; null for never."}
    )


class WalletView(Schema):
    """Everything that can still be collected."""

    cups = Integer(required=True, metadata={"description": "All cups together."})
    balances = fields.List(
        fields.Nested(BalanceView),
        required=True,
        metadata={"description": "By offer and end, the soonest to end first."},
    )


class HappeningView(Schema):
    """One event in the wallet."""

    id = Id(required=True, metadata={"description": "Opaque."})
    kind = Text(
        required=True,
        validate=validate.OneOf(["sale", "redemption", "void", "lapse"]),
        metadata={"description": "What happened."},
    )
    at = Timestamp(required=True, metadata={"description": "When."})
    source_id = Id(required=True, metadata={"description": "The lot or redemption it is about."})
    store_id = Id(required=True, metadata={"description": "At which store."})
    cups = Integer(required=True, metadata={"description": "What it added, or took (negative)."})
    amount = MoneyField(required=True, metadata={"description": "The same in money, net of VAT."})


class CredentialView(Schema):
    """What a phone makes codes with. The seed is shown this once."""

    id = Text(required=True, metadata={"description": "8 bytes in hex."})
    seed = Text(required=True, metadata={"description": "32 bytes in hex: keep it secret."})
    step_seconds = Integer(required=True, metadata={"description": "A code lives so long."})
    issued_at = Timestamp(required=True, metadata={"description": "The server's clock."})
    ends_at = Timestamp(required=True, metadata={"description": "Fetch another before this."})


class CodeQuery(Schema):
    """How a code is shown."""

    format = fields.String(
        load_default="svg",
        validate=validate.OneOf(["svg", "png", "text"]),
        metadata={"description": "A picture, or the text of it."},
    )


@wallet.get("", guard=member, answer=WalletView)
def show_wallet(*, caller: MemberCaller) -> dict[str, Any]:
    """Show what can still be collected."""
    balances = vouchers.list_balances(member_id=caller.member_id, now=clock.now())
    return {"cups": sum(balance.left for balance in balances), "balances": balances}


@wallet.get("/lots", guard=member, query=Page, answer=paged(LotView))
def list_lots(*, caller: MemberCaller, query: dict[str, Any]) -> dict[str, Any]:
    """List the lots that still have cups, the newest first."""

    def read(limit: int, after: Position | None) -> Sequence[Holding]:
        return vouchers.list_holdings(
            member_id=caller.member_id,
            limit=limit,
            before_id=after[0] if after else None,
            now=clock.now(),
        )

    return page_of(read, query=query, position=lambda lot: (lot.id,))


@wallet.get("/history", guard=member, query=Page, answer=paged(HappeningView))
def list_history(*, caller: MemberCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Tell every event in the wallet, the newest first: it explains each cup."""

    def read(limit: int, after: Position | None) -> Sequence[Happening]:
        return ledger.list_happenings(
            member_id=caller.member_id, limit=limit, before_id=after[0] if after else None
        )

    return page_of(read, query=query, position=lambda event: (event.id,))


@wallet.post("/credentials", guard=member, answer=CredentialView, status=201)
def issue_credential(*, caller: MemberCaller) -> dict[str, Any]:
    """Give this phone what it needs to show codes for a day, also without a network."""
    return _shown(redemption.issue_credential(member_id=caller.member_id, now=clock.now()))


@wallet.get(
    "/code",
    guard=member,
    query=CodeQuery,
    produces=("image/svg+xml", "image/png", "text/plain"),
)
def show_code(*, caller: MemberCaller, query: dict[str, Any]) -> Response:
    """Show the present QR, made by the server: as SVG, PNG or text. It lives for a minute."""
    code = redemption.current_code(member_id=caller.member_id, now=clock.now())
    shape: Literal["svg", "png", "text"] = query["format"]
    if shape == "text":
        return Response(code, content_type="text/plain; charset=us-ascii")
    draw, kind = _PICTURES[shape]
    return Response(draw(code), content_type=kind)


def _shown(issued: Issued) -> dict[str, Any]:
    return {
        "id": issued.id.hex(),
        "seed": issued.seed.hex(),
        "step_seconds": issued.step_seconds,
        "issued_at": issued.issued_at,
        "ends_at": issued.ends_at,
    }
