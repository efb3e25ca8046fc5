"""Cups that tills served without a network: what their logs tell, and what becomes of it."""

from redemption.offline.outcome import Outcome
from redemption.offline.remedies import ALL_REASONS, allowed_for
from redemption.offline.review import Meant, Waiting, list_reviews, resolve, resolve_each
from redemption.offline.uploading import Line, upload

__all__ = [
    "ALL_REASONS",
    "Line",
    "Meant",
    "Outcome",
    "Waiting",
    "allowed_for",
    "list_reviews",
    "resolve",
    "resolve_each",
    "upload",
]
