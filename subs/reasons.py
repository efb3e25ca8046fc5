"""Why members cancel. One of a few words: what they would say in their own is not kept."""

from typing import Final

CANCEL_REASONS: Final = (
    "too_expensive",
    "not_used",
    "moved",
    "quality",
    "other_chain",
    "other",
)
