"""The key of each person, and what is sealed under it. Without the key nothing is left of them."""

import json
import secrets as random
from typing import Any
from uuid import UUID

from kernel import secrets
from kernel.db import db
from members.models import MemberKey

_BYTES = 32


def make(member_id: UUID) -> tuple[MemberKey, bytes]:
    """A fresh key for a person: the row that keeps it sealed, and the key itself."""
    key = random.token_bytes(_BYTES)
    sealed = secrets.seal(_sealing_key(), key)
    return MemberKey(member_id=member_id, key_sealed=sealed), key


def of(member_id: UUID) -> bytes:
    """The key of a person."""
    return opened(db.session.get_one(MemberKey, member_id))


def opened(kept: MemberKey) -> bytes:
    """The key that a row keeps sealed."""
    return secrets.unseal(_sealing_key(), kept.key_sealed)


def seal_profile(key: bytes, profile: dict[str, Any]) -> bytes:
    """Seal what a person told about themselves."""
    return secrets.seal(key, json.dumps(profile, ensure_ascii=False).encode())


def open_profile(key: bytes, sealed: bytes | None) -> dict[str, Any]:
    """Open what `seal_profile` closed; a person who told nothing has an empty profile."""
    if sealed is None:
        return {}
    profile: dict[str, Any] = json.loads(secrets.unseal(key, sealed))
    return profile


def _sealing_key() -> bytes:
    return secrets.key_for("member keys")
