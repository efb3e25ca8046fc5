"""Cups handed over: by QR, at any branch, exactly once."""

from redemption.answer import Redeemed
from redemption.history import list_history
from redemption.models import Credential
from redemption.queries import currency_of, get_redemption, last_void, lines_of
from redemption.scan import Asked, Scan
from redemption.service.capsules import Filled, issue_capsule, list_revoked, revoke_capsules
from redemption.service.credentials import (
    Issued,
    current_code,
    issue_credential,
    issue_shared_credential,
    renew_credential,
)
from redemption.service.disown import disown, disown_by_link
from redemption.service.keeping import (
    approve,
    list_credentials,
    name_credential,
    revoke_credential,
    revoke_everything,
)
from redemption.service.late_void import (
    approve_late_void,
    ask_late_void,
    list_late_voids,
    reject_late_void,
)
from redemption.service.redeem import redeem, validate
from redemption.service.spoken_codes import SpokenCode, issue_spoken_code
from redemption.service.void import void
from redemption.service.wallet_blocks import (
    block_own_wallet,
    block_wallet,
    find_own_block,
    is_blocked_by_chain,
    lift_own_block,
    lift_wallet_block,
    list_wallet_blocks,
)
from redemption.service.wallet_cards import (
    WalletCard,
    get_wallet_card,
    issue_card_at_till,
    issue_wallet_card,
    list_wallet_cards,
)
from redemption.uncounted import last_collected
from redemption.whose import find_wallet, find_wallet_of, member_of_code

__all__ = [
    "Asked",
    "Credential",
    "Filled",
    "Issued",
    "Redeemed",
    "Scan",
    "SpokenCode",
    "WalletCard",
    "approve",
    "approve_late_void",
    "ask_late_void",
    "block_own_wallet",
    "block_wallet",
    "currency_of",
    "current_code",
    "disown",
    "disown_by_link",
    "find_own_block",
    "find_wallet",
    "find_wallet_of",
    "get_redemption",
    "get_wallet_card",
    "is_blocked_by_chain",
    "issue_capsule",
    "issue_card_at_till",
    "issue_credential",
    "issue_shared_credential",
    "issue_spoken_code",
    "issue_wallet_card",
    "last_collected",
    "last_void",
    "lift_own_block",
    "lift_wallet_block",
    "lines_of",
    "list_credentials",
    "list_history",
    "list_late_voids",
    "list_revoked",
    "list_wallet_blocks",
    "list_wallet_cards",
    "member_of_code",
    "name_credential",
    "redeem",
    "reject_late_void",
    "renew_credential",
    "revoke_capsules",
    "revoke_credential",
    "revoke_everything",
    "validate",
    "void",
]
