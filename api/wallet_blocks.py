"""Wallets from which nothing is collected for now: a member's own block, and the chain's."""

from typing import Any
from uuid import UUID

from marshmallow import fields, validate

import redemption
from api.auth import MemberCaller, OfficeCaller, member, office
from api.fields import Id, Name, Schema, Text, Timestamp
from api.paging import Page, page_of, paged
from api.routing import Resource
from chain import StoreScope
from kernel import clock
from kernel.errors import NotFound
from redemption.errors import OwnWallet
from redemption.models import WalletBlock

own_block = Resource(
    "own_block", "/v1/wallet/block", "A member's own block of their wallet, until they lift it."
)
wallet_blocks = Resource(
    "wallet_blocks", "/v1/wallet-blocks", "Wallet blocks: wallets that the chain has blocked."
)

_AT_DESK = office("manager", "finance", "admin")


class OwnBlockView(Schema):
    """Whether a wallet is blocked."""

    blocked_at = Timestamp(
        required=True,
        allow_none=True,
        metadata={"description": "Since when by yourself; null if not."},
    )
    is_blocked_by_chain = fields.Boolean(
        required=True,
        metadata={"description": "Whether the chain blocks it, too: only the chain lifts that."},
    )


class WalletBlockBody(Schema):
    """Whose wallet, and why."""

    redemption_id = Id(
        required=True, metadata={"description": "A redemption that took from the wallet."}
    )
    reason = Name(required=True, most=200, metadata={"description": "For those who audit it."})


class WalletBlocksQuery(Page):
    """Which blocks."""

    state = Text(
        load_default="open",
        validate=validate.OneOf(("open", "all")),
        metadata={"description": "`open`: those that nobody has lifted."},
    )


class WalletBlockView(Schema):
    """A wallet that the chain has blocked. Whose it is, is not told."""

    id = Id(required=True, metadata={"description": "To lift it by."})
    redemption_id = Id(required=True, metadata={"description": "The redemption it was for."})
    store_id = Id(required=True, metadata={"description": "Where that was."})
    reason = Text(required=True, metadata={"description": "Why."})
    blocked_by_id = Id(required=True, metadata={"description": "Who blocked it."})
    blocked_at = Timestamp(required=True, metadata={"description": "When."})
    lifted_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When it was lifted, or null."}
    )
    lifted_by_id = Id(required=True, allow_none=True, metadata={"description": "By whom, or null."})


@own_block.get("", guard=member, answer=OwnBlockView)
def get_own_block(*, caller: MemberCaller) -> dict[str, Any]:
    """Look whether your wallet is blocked."""
    return _own(caller.member_id)


@own_block.post("", guard=member, answer=OwnBlockView, idempotency="answer")
def block_own_wallet(*, caller: MemberCaller) -> dict[str, Any]:
    """Block your wallet: no till hands over cups from it, and none are given away.

    Phones and cards stay, and are good again when you lift it. Again changes nothing.
    """
    redemption.block_own_wallet(member_id=caller.member_id, now=clock.now())
    return _own(caller.member_id)


@own_block.delete("", guard=member, status=204)
def lift_own_block(*, caller: MemberCaller) -> None:
    """Lift your own block. Once more changes nothing."""
    redemption.lift_own_block(member_id=caller.member_id, now=clock.now())


@wallet_blocks.post(
    "",
    guard=_AT_DESK,
    body=WalletBlockBody,
    answer=WalletBlockView,
    status=201,
    idempotency="answer",
    refusals=(NotFound, StoreScope),
)
def block_wallet(*, caller: OfficeCaller, body: dict[str, Any]) -> WalletBlock:
    """Block the wallet that a redemption took from. Managers: a redemption of their own stores.

    A wallet that the chain blocks already stays so, by the block that there is.
    """
    return redemption.block_wallet(
        staff_id=caller.staff_id, role=caller.role, now=clock.now(), **body
    )


@wallet_blocks.get("", guard=_AT_DESK, query=WalletBlocksQuery, answer=paged(WalletBlockView))
def list_wallet_blocks(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """List the chain's blocks, the newest first. Managers: those for their own stores."""
    return page_of(
        lambda limit, after: redemption.list_wallet_blocks(
            staff_id=caller.staff_id,
            role=caller.role,
            is_open=query["state"] == "open",
            limit=limit,
            after=after[0] if after else None,
        ),
        query=query,
        position=lambda one: (one.id,),
    )


@wallet_blocks.post(
    "/<uuid:wallet_block_id>/lift",
    guard=_AT_DESK,
    answer=WalletBlockView,
    idempotency="answer",
    refusals=(NotFound, StoreScope, OwnWallet),
)
def lift_wallet_block(*, caller: OfficeCaller, wallet_block_id: UUID) -> WalletBlock:
    """Lift a block of the chain's. A block that the member has made stays. Nobody lifts their own.

    Once more changes nothing.
    """
    return redemption.lift_wallet_block(
        wallet_block_id=wallet_block_id,
        staff_id=caller.staff_id,
        role=caller.role,
        now=clock.now(),
    )


def _own(member_id: UUID) -> dict[str, Any]:
    own = redemption.find_own_block(member_id)
    return {
        "blocked_at": own and own.blocked_at,
        "is_blocked_by_chain": redemption.is_blocked_by_chain(member_id),
    }
