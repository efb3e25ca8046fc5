"""The document of everything that is held about a member, written as it is read."""

from typing import IO
from uuid import UUID

import invoicing.personal
import ledger.personal
import members.personal
import payments.personal
import redemption.offline.personal
import redemption.personal
import subs.personal
import vouchers.personal
from api import strict_json
from members.holding import everything_held

ROOMS = (members, vouchers, payments, invoicing, subs, redemption, ledger)
"""Each has registered its parts by being imported."""


def write_everything(file: IO[bytes], member_id: UUID) -> None:
    """Write `{"profile": [{…}], "orders": [{…}, …], …}`, a row in memory at a time."""
    opening = b"{"
    for name, rows in everything_held(member_id):
        file.write(opening + strict_json.write(name) + b":[")
        separator = b""
        for row in rows:
            file.write(separator + strict_json.write(row))
            separator = b",\n"
        file.write(b"]")
        opening = b",\n"
    file.write(b"}")
