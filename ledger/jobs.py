"""What the books do in the background."""

from kernel import clock, queue
from kernel.queue import Duty
from ledger.proof import duty as proof
from ledger.seal import duties as seal
from ledger.service import closing, fold

DUTIES: list[Duty] = [fold.DUTY, closing.DUTY, proof.DUTY, *seal.DUTIES]


def close_months() -> None:
    """Close the months that it was asked for. The RQ job."""
    queue.begun(closing.DUTY.job)
    closing.close_asked(now=clock.now())
