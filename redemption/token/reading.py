"""Taking apart whatever was scanned or typed, and whether it is fresh."""

from collections.abc import Callable
from datetime import datetime

from base45 import b45decode

from redemption.errors import TokenExpired, TokenInvalid
from redemption.token import capsule, card, phone
from redemption.token.code import Code
from redemption.token.spoken import find_spoken

_KINDS: dict[tuple[bytes, int], Callable[[bytes], Code]] = {
    (phone.VERSION, phone.SIZE): phone.read,
    (card.VERSION, card.SIZE): card.read,
    (capsule.VERSION, capsule.SIZE): capsule.read,
}


def parse(text: str) -> Code | None:
    """Take a code apart, or answer None for what has the form of none.

    Looks nothing up, and compares MACs in constant time.
    """
    spoken = find_spoken(text)
    if spoken is not None:
        return spoken
    try:
        raw = b45decode(text)
    except ValueError:
        return None
    read = _KINDS.get((raw[:1], len(raw)))
    return None if read is None else read(raw)


def check_fresh(code: Code, *, now: datetime) -> None:
    """Refuse a code that is not genuine, or too old or too early.

    How long a code that is read aloud lives, and a card, their credentials say.

    Raises:
        TokenInvalid: it is not one of ours, or its step has not come yet.
        TokenExpired: its step is over, or its capsule.
    """
    if not code.is_genuine:
        raise TokenInvalid
    if code.sealed is not None:
        step = code.sealed.step
    elif code.kind == "phone" and code.step is not None:
        step = code.step
    else:
        return
    age = step - phone.step_at(now)
    if age > phone.NEWEST:
        raise TokenInvalid
    if age < phone.OLDEST or (code.sealed is not None and code.sealed.ends_at <= now):
        raise TokenExpired
