"""Codes that open a wallet at a till: what each is made of, and whether one is genuine and fresh.

The rotating QR of a phone, eight signs that are read aloud, a printed card, and the capsule for
where there is no network. `docs/qr.md` describes them to whoever makes an app.
"""

from redemption.token.capsule import capsule_seed, make_capsule, show_capsule
from redemption.token.capsule_keys import CapsuleKey, id_of_window, list_capsule_keys, window_at
from redemption.token.card import make_card
from redemption.token.code import Code, Kind, Sealed
from redemption.token.phone import (
    NEWEST,
    OLDEST,
    STEP_S,
    make,
    new_credential_id,
    seed_of,
    step_at,
)
from redemption.token.reading import check_fresh, parse
from redemption.token.spoken import id_of_spoken

__all__ = [
    "NEWEST",
    "OLDEST",
    "STEP_S",
    "CapsuleKey",
    "Code",
    "Kind",
    "Sealed",
    "capsule_seed",
    "check_fresh",
    "id_of_spoken",
    "id_of_window",
    "list_capsule_keys",
    "make",
    "make_capsule",
    "make_card",
    "new_credential_id",
    "parse",
    "seed_of",
    "show_capsule",
    "step_at",
    "window_at",
]
