"""The books: every movement of cups posts its money here, in the same transaction."""

from ledger import policy
from ledger.chart import install_chart, taxed
from ledger.history import list_happenings
from ledger.policy import Pair
from ledger.service.posting import Event, post, post_all, reverse

__all__ = [
    "Event",
    "Pair",
    "install_chart",
    "list_happenings",
    "policy",
    "post",
    "post_all",
    "reverse",
    "taxed",
]
