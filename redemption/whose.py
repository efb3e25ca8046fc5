"""Whose wallet a shown code is of, where nothing is handed over: a sale at the counter."""

from datetime import datetime
from uuid import UUID

from kernel import hot
from kernel.errors import RateLimited
from redemption import statements, token
from redemption.errors import TokenInvalid

_WRONG_CODES_AN_HOUR = 1_000

_WRONG_CODES = """
    SELECT times FROM wrong_code
    WHERE device_id = %(device_id)s AND hour_at = date_trunc('hour', %(now)s, 'UTC')
"""

_OWNER = """
    SELECT member_id FROM credential
    WHERE id = %(credential_id)s AND revoked_at IS NULL AND ends_at > %(now)s
"""


def member_of_code(*, code: str, device_id: UUID, now: datetime) -> UUID:
    """Answer whose QR a till has scanned, on the hot road: a transaction may be open, or none.

    The code is not used up: it shows who is there, and gives nothing away. What is none of ours is
    counted against the device, as when cups are collected.

    Raises:
        TokenInvalid, TokenExpired: see `redemption.token`.
        RateLimited: this device has sent too many codes that are none.
    """
    counted = hot.read(_WRONG_CODES, {"device_id": device_id, "now": now})
    if counted is not None and counted[0] >= _WRONG_CODES_AN_HOUR:
        raise RateLimited(retry_after=3600 - now.minute * 60 - now.second)
    parsed = token.parse(code)
    try:
        if parsed is None:
            raise TokenInvalid  # noqa: TRY301  all that is none is counted in one place
        token.check_fresh(parsed, now=now)
        return _owner(parsed.credential_id, now)
    except TokenInvalid:
        hot.rows(statements.COUNT_WRONG_CODE, {"device_id": device_id, "now": now})
        raise


def _owner(credential_id: bytes, now: datetime) -> UUID:
    row = hot.read(_OWNER, {"credential_id": credential_id, "now": now})
    if row is None:
        raise TokenInvalid
    member_id: UUID = row[0]
    return member_id
