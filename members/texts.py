"""What one member wrote to another: sealed under the writer's key, gone with it."""

from uuid import UUID

from kernel import secrets
from kernel.db import db
from members import keys
from members.models import MemberKey


def seal_text(*, member_id: UUID, text: str) -> bytes:
    """Seal what a member wrote, under their own key."""
    return secrets.seal(keys.of(member_id), text.encode())


def open_text(*, member_id: UUID, sealed: bytes | None) -> str | None:
    """Open what `seal_text` closed; None where nothing was written, or its writer is gone."""
    kept = None if sealed is None else db.session.get(MemberKey, member_id)
    if sealed is None or kept is None:
        return None
    return secrets.unseal(keys.opened(kept), sealed).decode()
