"""The room's duties in the background."""

from invoicing.sending import SENDING
from invoicing.service import send as sending
from kernel import queue
from kernel.queue import Duty
from kernel.transaction import again

DUTIES: list[Duty] = [SENDING]


def send() -> None:
    """Send every document that is due. The RQ job; safe to run many times at once."""
    queue.begun(SENDING.job)
    while claimed := again(sending.claim):
        for document_id in claimed:
            sending.send(document_id)
