"""Play the main job over HTTP, as a story, and check every number: `make tour`.

A shopper buys a pack and a plan, collects cups at three stores and gives some away; a clerk sells
for cash; a bank disputes; a month renews the plan, an end pays back what is unused; and finance
reads what is owed and closes the month. A plan is shared, changed and paused by the clock of its
member alone. Last comes a day of one store: codes that are read aloud or printed, several drinks in
one scan, devices that sign, cups without a network, voids, and a sheet that agrees with the books.
Played against what `make up` runs in this checkout, or against one that is started for it. It moves
the clock of the installation by some two months, so nothing else should be going on there. The exit
code is 1 if any number is off.
"""

import argparse
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import httpx

from dev.tour import (
    act1_sign_in,
    act2_buy,
    act3_redeem,
    act4_give,
    act5_counter,
    act6_offer,
    act7_renew,
    act8_finance,
    act9_close,
    act10_end,
    act11_leave,
    act12_plans,
    act13_several,
    act14_card,
    act15_own_key,
    act16_offline,
    act17_day,
)
from dev.tour.act11_leave import leave_early
from dev.tour.running import Running, installation
from dev.tour.story import Off, Story
from dev.tour.tour import Act, Tour, on_stage
from kernel.embedded import CannotStart

ACTS = (
    act1_sign_in.ACT,
    act2_buy.ACT,
    act3_redeem.ACT,
    act4_give.ACT,
    act5_counter.ACT,
    act6_offer.ACT,
    act7_renew.ACT,
    act8_finance.ACT,
    act9_close.ACT,
    act10_end.ACT,
    act11_leave.ACT,
    act12_plans.ACT,
    act13_several.ACT,
    act14_card.ACT,
    act15_own_key.ACT,
    act16_offline.ACT,
    act17_day.ACT,
)

_INTERRUPTED = 130


def main() -> int:
    """Find or start an installation, and play."""
    parser = argparse.ArgumentParser(
        prog="python -m dev.tour",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--twice", action="store_true", help="play it once more on what the first one left behind"
    )
    times = 2 if parser.parse_args().twice else 1
    signal.signal(signal.SIGTERM, _interrupt)
    story = Story(steps=times * sum(len(act.steps) for act in ACTS))
    try:
        with story:
            story.tell("looking for what `make up` runs here, or starting it")
            with installation() as running:
                for _ in range(times):
                    _play(running, story)
    except (CannotStart, Off) as problem:
        sys.stderr.write(f"\nThe tour failed. {problem}\n")
        return 1
    except httpx.HTTPError as problem:
        sys.stderr.write(f"\nThe tour failed: no answer ({type(problem).__name__}: {problem}).\n")
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    return 0


def _play(running: Running, story: Story) -> None:
    if "STRIPE_API_BASE" not in running.environment:
        raise Off("It needs the sandbox provider: start `make up` without STRIPE_API_KEY.")
    os.environ["CLOCK_FILE"] = running.environment["CLOCK_FILE"]
    with on_stage(running, story) as tour:
        story.tell(f"playing against {running.url}")
        try:
            for act in ACTS:
                _play_act(act, tour)
        except BaseException:
            leave_early(tour)
            raise
    _say_goodbye(running, story)


def _play_act(act: Act, tour: Tour) -> None:
    tour.story.act(act.title)
    for step in act.steps:
        with tour.story.step((step.__doc__ or "").partition("\n")[0]):
            step(tour)


def _say_goodbye(running: Running, story: Story) -> None:
    story.act(f"Everything is as it must be: {story.checked} checks")
    if running.is_ours:
        story.tell("the installation that was started for the tour stops now; `make up` runs it")
        return
    story.tell("What to look at next:")
    for what, where in (
        ("every route, to read and to call", f"{running.url}/docs"),
        ("what was sent to phones", running.environment["MESSAGE_FILE"]),
        ("what can be done with the books by hand", "./jibei books --help"),
        ("what each event books", "ledger/policy.py"),
        ("the same rules, as the tour computed them", "dev/tour/expected.py"),
    ):
        story.tell(f"  {what:43}{where}")


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
