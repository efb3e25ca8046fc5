"""The room's duties in the background."""

from kernel.queue import Duty
from payments import inbox, repaying, settlements, sweep
from payments.looking import duty

DUTIES: list[Duty] = [inbox.DUTY, sweep.DUTY, repaying.DUTY, settlements.DUTY, duty.DUTY]
