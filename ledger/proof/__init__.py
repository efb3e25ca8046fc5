"""Proof: whatever must always be true of the books is checked, while trade goes on.

The books' own checks are here; a room above registers its own with `check` when it is imported.
"""

from ledger.proof import journal, months, sealing
from ledger.proof.registry import CHECKS, Facts, Found, check
from ledger.proof.runner import (
    NothingToResume,
    Progress,
    TakenOver,
    begin,
    check_all_of,
    check_month,
    findings_of,
    go_on,
    latest,
    release,
    resume,
)
from ledger.proof.walks import ENTRIES, LINES, MONTHS, SEALS, WHOLE, KeyWalk, Part

__all__ = [
    "CHECKS",
    "ENTRIES",
    "LINES",
    "MONTHS",
    "SEALS",
    "WHOLE",
    "Facts",
    "Found",
    "KeyWalk",
    "NothingToResume",
    "Part",
    "Progress",
    "TakenOver",
    "begin",
    "check",
    "check_all_of",
    "check_month",
    "findings_of",
    "go_on",
    "journal",
    "latest",
    "months",
    "release",
    "resume",
    "sealing",
]
