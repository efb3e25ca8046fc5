"""Codes that people read aloud and type: eight signs, of which none is mistaken for another."""

import secrets
import unicodedata

SIGNS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 8


def new_code() -> str:
    """Eight random signs (39 bits)."""
    return "".join(secrets.choice(SIGNS) for _ in range(LENGTH))


def as_typed(text: str) -> str:
    """What a typed code stands for: case, spaces and hyphens do not matter, nor does width.

    Keyboards for Chinese type letters and digits as wide as its signs, unless they are told not to.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return text.upper().replace(" ", "").replace("-", "")


def find_code(text: str) -> str | None:
    """The code that was typed, or None for what has not the form of one."""
    typed = as_typed(text)
    return typed if len(typed) == LENGTH and set(typed) <= _ALL else None


_ALL = frozenset(SIGNS)
