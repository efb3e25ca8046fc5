"""Whose wallet a shown code is of, where nothing is handed over: a sale at the counter."""

from datetime import datetime
from uuid import UUID

from kernel import hot
from redemption import statements, token
from redemption.deciding import check_guesses
from redemption.errors import TokenInvalid
from redemption.queries import find_by_id

_WRONG_CODES = """
    SELECT times FROM wrong_code
    WHERE device_id = %(device_id)s AND hour_at = date_trunc('hour', %(now)s, 'UTC')
"""

_OWNER = """
    SELECT coalesce(holder_id, member_id) FROM credential
    WHERE id = %(id)s AND kind = %(kind)s AND revoked_at IS NULL AND ends_at > %(now)s
"""

_OWNER_OF_CAPSULE = """
    SELECT member_id FROM capsule
    WHERE serial = %(id)s AND revoked_at IS NULL AND ends_at > %(now)s
"""

_WALLET = """
    SELECT member_id FROM credential WHERE id = %(id)s
    UNION ALL SELECT member_id FROM capsule WHERE serial = %(id)s
"""


def member_of_code(*, code: str, device_id: UUID, now: datetime) -> UUID:
    """Answer whose QR a till has scanned, on the hot road: a transaction may be open, or none.

    The QR of a plan that is shared is its sharer's, who is there, not the owner's of the plan.
    The code is not used up: it shows who is there, and gives nothing away. What is none of ours is
    counted against the device, as when cups are collected.

    Raises:
        TokenInvalid, TokenExpired: see `redemption.token`.
        RateLimited: this device has sent too many codes that are none.
    """
    counted = hot.read(_WRONG_CODES, {"device_id": device_id, "now": now})
    check_guesses(counted[0] if counted else 0, now=now)
    parsed = token.parse(code)
    try:
        if parsed is None:
            raise TokenInvalid  # noqa: TRY301  all that is none is counted in one place
        token.check_fresh(parsed, now=now)
        return _owner(parsed, now)
    except TokenInvalid:
        hot.rows(statements.COUNT_WRONG_CODE, {"device_id": device_id, "now": now})
        raise


def find_wallet(code: str) -> UUID | None:
    """Whose wallet a code opens, whether it is fresh or not; None for what opens none.

    For the sandbox, where that member's clock says what time it is at the till.
    """
    parsed = token.parse(code)
    if parsed is None or not parsed.is_genuine:
        return None
    row = hot.read(_WALLET, {"id": parsed.credential_id})
    return None if row is None else row[0]


def find_wallet_of(redemption_id: UUID) -> UUID | None:
    """Whose wallet cups came from, for the same."""
    found = find_by_id(redemption_id)
    return None if found is None else found.member_id


def _owner(code: token.Code, now: datetime) -> UUID:
    if code.kind == "capsule":
        row = hot.read(_OWNER_OF_CAPSULE, {"id": code.credential_id, "now": now})
    else:
        asked = {"id": code.credential_id, "kind": code.kind, "now": now}
        row = hot.read(_OWNER, asked)
    if row is None:
        raise TokenInvalid
    member_id: UUID = row[0]
    return member_id
