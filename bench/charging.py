"""A worker that charges, in a process of its own: `python -m bench.charging FIRST COUNT`.

Says `ready` when it has charged a few, begins at a line on its standard input, and prints how long
it took in seconds. What it charges are payments of subscriptions FIRST and following, without rows.
"""

import sys
import time
from collections.abc import Iterator
from uuid import UUID

import payments
from kernel import clock
from kernel.application import bare_application
from kernel.ids import new_id
from payments import Asking, Charging
from subs.renewing import BATCH

_WARM = 80


def main(first: int, count: int) -> None:
    """Charge a set while the one before is still under way, as the job does."""
    with bare_application().app_context():
        payments.charge_all(_askings(first, _WARM)).outcomes()
        print("ready", flush=True)
        sys.stdin.readline()
        begun = time.perf_counter()
        paid = sum(len(_paid(one)) for one in list(_charged(_askings(first + _WARM, count))))
        seconds = time.perf_counter() - begun
    if paid != count:
        raise RuntimeError(f"{paid} were paid of {count}")
    print(seconds, flush=True)


def _charged(askings: list[Asking]) -> Iterator[Charging]:
    for at in range(0, len(askings), BATCH):
        yield payments.charge_all(askings[at : at + BATCH])


def _paid(charging: Charging) -> list[UUID]:
    outcomes = charging.outcomes().items()
    return [one for one, seen in outcomes if seen is not None and seen.status == "succeeded"]


def _askings(first: int, count: int) -> list[Asking]:
    return [
        Asking(
            payment_id=new_id(),
            purpose_id=new_id(),
            member_id=UUID(f"00000009-0000-7000-8000-{n:012x}"),
            provider=payments.CARDS,
            amount=499,
            currency="TWD",
            method_ref=f"pm_{n}",
            keeps_card=False,
            is_off_session=True,
            provider_ref=None,
            asked_at=clock.common(),
        )
        for n in range(first, first + count)
    ]


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
