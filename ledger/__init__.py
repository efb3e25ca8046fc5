"""The books: every movement of cups posts its money here, in the same transaction."""

from ledger import policy
from ledger.history import list_happenings
from ledger.policy import Pair
from ledger.reports import roll_forward, settlement
from ledger.service import pairs_of, post, reverse

__all__ = [
    "Pair",
    "list_happenings",
    "pairs_of",
    "policy",
    "post",
    "reverse",
    "roll_forward",
    "settlement",
]
