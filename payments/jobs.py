"""The room's duties in the background."""

from kernel.queue import Duty
from payments import inbox, settlements, sweep

DUTIES: list[Duty] = [inbox.DUTY, sweep.DUTY, settlements.DUTY]
