"""Cups handed over: by QR, at any branch, exactly once."""

from redemption.history import list_history
from redemption.queries import currency_of, get_redemption, lines_of
from redemption.service.credentials import (
    Issued,
    current_code,
    issue_credential,
    issue_shared_credential,
)
from redemption.service.redeem import Redeemed, Scan, redeem
from redemption.service.void import void
from redemption.uncounted import last_collected
from redemption.whose import find_wallet, find_wallet_of, member_of_code

__all__ = [
    "Issued",
    "Redeemed",
    "Scan",
    "currency_of",
    "current_code",
    "find_wallet",
    "find_wallet_of",
    "get_redemption",
    "issue_credential",
    "issue_shared_credential",
    "last_collected",
    "lines_of",
    "list_history",
    "member_of_code",
    "redeem",
    "void",
]
