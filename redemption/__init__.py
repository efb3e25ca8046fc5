"""Cups handed over: by QR, at any branch, exactly once."""

from redemption.queries import get_redemption, lines_of
from redemption.service.credentials import Issued, current_code, issue_credential
from redemption.service.redeem import Redeemed, Scan, redeem
from redemption.service.void import void

__all__ = [
    "Issued",
    "Redeemed",
    "Scan",
    "current_code",
    "get_redemption",
    "issue_credential",
    "lines_of",
    "redeem",
    "void",
]
