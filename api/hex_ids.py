"""Ids of eight bytes in an address: those of phones, codes and cards."""

import re

from kernel.errors import NotFound

_FORM = re.compile(r"[0-9a-f]{16}", re.ASCII)


def bytes_of(id_text: str) -> bytes:
    """The bytes of an id.

    Raises:
        NotFound: it is none.
    """
    if not _FORM.fullmatch(id_text):
        raise NotFound
    return bytes.fromhex(id_text)
