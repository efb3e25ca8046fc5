"""The books: every movement of cups posts its money here, in the same transaction."""

from ledger import policy
from ledger.policy import Pair
from ledger.service import pairs_of, post, reverse

__all__ = ["Pair", "pairs_of", "policy", "post", "reverse"]
