"""The code that is read aloud at a till: eight signs, for a minute, once.

It is nowhere kept: its credential's id is the start of a MAC of it. So it is looked up by what
tells nothing about it, and the time that takes neither.
"""

from kernel import secrets as keys
from kernel.spoken import find_code
from redemption.token.code import Code

ONLY_STEP = 0
"""With the constraint on (credential, step) this makes it good once."""


def id_of_spoken(text: str) -> bytes:
    """The id of the credential that a code opens, as it was made, not as it was typed."""
    return keys.mac("spoken code", text.encode("ascii"))[:8]


def find_spoken(text: str) -> Code | None:
    """The code that somebody typed, or None for what has not the form of one.

    Nothing in it can be checked, so it counts as genuine: it exists or it does not.
    """
    typed = find_code(text)
    return None if typed is None else Code("code", id_of_spoken(typed), ONLY_STEP, is_genuine=True)
