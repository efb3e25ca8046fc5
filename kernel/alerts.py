"""Alerts: what somebody must look at today goes to ALERT_TO, through the message port.

A phone or an e-mail address. Without one, the log's error line, which callers write anyway, is all
there is.
"""

from datetime import datetime

from kernel import messages, outbox
from kernel.config import config
from kernel.outbox import subscriber

RAISED = "alert.raised"

_SUBJECT = "Jibei: somebody has to look at this"


def alert(text: str, *, now: datetime) -> None:
    """Tell whoever looks after this installation, if and when the open transaction commits."""
    if config().alert_to is not None:
        outbox.emit(RAISED, now=now, text=text)


@subscriber(RAISED, sending=True)
def send_alert(*, text: str, dedupe_key: str, **_: object) -> None:
    """Send it; what cannot be sent is tried again by the outbox."""
    to = config().alert_to
    if to is not None:
        messages.send(to=to, text=text, dedupe_key=dedupe_key, subject=_SUBJECT)
