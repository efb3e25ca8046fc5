"""Text that somebody typed, on its way into a spreadsheet: it stays text, and can be read."""

import re

# What begins a formula; also in full width, which a Chinese Excel reads alike.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
# What XML 1.0 cannot hold, not even as an entity: a file with one of these does not open.
_UNREADABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def readable(text: str) -> str:
    """Put U+FFFD where there is a character that no spreadsheet can show: controls, surrogates."""
    return text if text.isprintable() else _UNREADABLE.sub("\ufffd", text)


def as_csv_text(text: str) -> str:
    """Text as a CSV may hold it: with an apostrophe in front of what looks like a formula."""
    shown = readable(text)
    return f"'{shown}" if looks_like_formula(shown) else shown


def looks_like_formula(text: str) -> bool:
    """Whether a spreadsheet might calculate this instead of showing it."""
    return text.startswith(_FORMULA)
