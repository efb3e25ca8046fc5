"""Identifiers in Stripe's form: a prefix that names the kind, then letters and digits."""

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str, *, length: int = 24) -> str:
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(length))


def new_client_secret(intent_id: str) -> str:
    return new_id(f"{intent_id}_secret_", length=25)
