"""An event of the provider arrives: it is checked, kept, and answered at once."""

import json
import re
from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert

from kernel import queue
from kernel.config import config
from kernel.db import db
from kernel.transaction import after_commit
from payments import inbox
from payments.errors import SignatureInvalid
from payments.models import ProviderEvent
from payments.signature import is_signed

LARGEST_BODY = 512 * 1024
_NAME = re.compile(r"[A-Za-z0-9_.]{1,255}", re.ASCII)
_KEPT = ("api_version", "created", "livemode")


def receive(*, body: bytes, signature: str, now: datetime) -> bool:
    """Keep an event for later, once, in the caller's transaction. Answers whether it was new.

    Nothing of it is believed but its name: what it tells of is fetched when it is worked off.

    Raises:
        SignatureInvalid: not signed with one of our secrets, not from now, or not an event.
    """
    secrets = config().stripe_webhook_secrets
    if not is_signed(body=body, header=signature, secrets=secrets, now=now):
        raise SignatureInvalid
    event = _parsed(body)
    row = insert(ProviderEvent).values(
        id=_name(event.get("id")),
        type=_name(event.get("type")),
        object_ref=_object_ref(event),
        body={key: _plain(event.get(key)) for key in _KEPT},
        received_at=now,
        due_at=now,
        is_open=True,
        tries=0,
    )
    kept = db.session.execute(row.on_conflict_do_nothing().returning(ProviderEvent.id))
    is_new = kept.scalar() is not None
    if is_new:
        after_commit(lambda: queue.ring(inbox.DUTY))
    return is_new


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as problem:
        raise SignatureInvalid from problem
    if not isinstance(event, dict):
        raise SignatureInvalid
    return event


def _object_ref(event: dict[str, Any]) -> str | None:
    about = event.get("data")
    shown = about.get("object") if isinstance(about, dict) else None
    ref = shown.get("id") if isinstance(shown, dict) else None
    return None if ref is None else _name(ref)


def _name(value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise SignatureInvalid
    return value


def _plain(value: object) -> object:
    """What can be stored without a second look."""
    if isinstance(value, int):
        return value
    return value if isinstance(value, str) and _NAME.fullmatch(value) else None
