"""A dry run: what the till would hear if it handed over the cups."""

from typing import Any

from flask import Response

import redemption
from api.auth import TillToken, till_token
from api.redemption_views import RedeemedView, shown
from api.routing import Resource
from api.scans import REFUSALS, ScanBody, in_wallets_time, scan_of
from api.serving import written
from kernel import clock

validations = Resource(
    "validations", "/v1/validations", "Validations: what a scan would bring, without doing it."
)


@validations.post(
    "",
    guard=till_token,
    body=ScanBody,
    answer=RedeemedView,
    idempotency="none",
    transaction="own",
    refusals=REFUSALS,
)
def validate(*, caller: TillToken, body: dict[str, Any]) -> Response:
    """Ask what a redemption would answer, or why it would be refused.

    Nothing is handed over, and the code stays good. By the time of the redemption itself somebody
    else may have collected.
    """
    scan = scan_of(caller, body)
    with in_wallets_time(lambda: redemption.find_wallet(scan.code)):
        return written(shown(redemption.validate(scan=scan, now=clock.now())), 200)
