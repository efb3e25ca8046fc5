"""What one step of the tour leaves for the next."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from dev.sample_staff import sign_ins_path
from dev.tour.client import Api, Provider, connection
from dev.tour.desks import Desks
from dev.tour.expected import TAIPEI, Books, month_of
from dev.tour.following import Follower
from dev.tour.own_device import OwnDevice
from dev.tour.party import CardHolder, Chain, Redeemed, Shopper, Till
from dev.tour.reading import Rates, Reading
from dev.tour.running import Running
from dev.tour.store_day import StoreDay
from dev.tour.story import Story
from kernel import clock

PACK = "familymart-anywhere"
PLAN = "dayungs-monthly"
ONE_STORE = "louisa-5"
WITH_END = "starbucks-20"
OFFERS = (PACK, PLAN, ONE_STORE, WITH_END)

_SECRET, _PUBLISHABLE = "sk_", "pk_"


@dataclass
class Tour:
    """The stage: the installation, who acts, and what the books must say in the end.

    `checkout` is the provider as a phone's SDK calls it, `merchant` as the chain itself does;
    `environment` is that of the installation's processes.
    """

    story: Story
    api: Api
    desks: Desks
    chain: Chain
    checkout: Provider
    merchant: Provider
    message_file: Path
    environment: Mapping[str, str]
    books: Books = field(default_factory=Books)
    shoppers: list[Shopper] = field(default_factory=list)
    tills: dict[str, Till] = field(default_factory=dict)
    redeemed: dict[str, Redeemed] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    plans: dict[str, str] = field(default_factory=dict)
    disputes: list[str] = field(default_factory=list)
    disputed_before: int = 0
    owed_in_cash: int = 0
    proposed: Mapping[str, Any] = field(init=False)
    last_on: date = field(init=False)
    plan_ends_at: datetime = field(init=False)
    before: Reading = field(init=False)
    rates_before: Rates = field(init=False)
    first_month: str = ""
    moved_at: datetime = field(init=False)
    day: StoreDay = field(init=False)
    regular: Shopper = field(init=False)
    card_holder: CardHolder = field(init=False)
    scanners: list[OwnDevice] = field(default_factory=list)
    follower: Follower = field(init=False)

    @property
    def alice(self) -> Shopper:
        return self.shoppers[0]

    @property
    def bob(self) -> Shopper:
        return self.shoppers[1]

    def months(self) -> list[str]:
        """From the month in which finance first looked to the present one."""
        months = [self.first_month]
        while months[-1] < month_of(clock.now().isoformat()):
            year, month = map(int, months[-1].split("-"))
            months.append(f"{year + month // 12}-{month % 12 + 1:02d}")
        return months

    def move_clock(self, *, to: datetime) -> None:
        """Have the admin move the clock of this installation to a moment, or a little past it."""
        if to <= clock.now():
            return
        seconds = int((to - clock.now()) / timedelta(seconds=1)) + 1
        moved = self.desks.of("admin").post("/v1/sandbox/clock/advance", {"seconds": seconds})
        self.moved_at = datetime.fromisoformat(moved["now"])
        self.story.tell(f"the admin moves the clock; here it is {shown(self.moved_at)} now")


class Act(NamedTuple):
    """A part of the story. Each step's title is the first line of its docstring."""

    title: str
    steps: Sequence[Callable[[Tour], None]]


@contextmanager
def on_stage(running: Running, story: Story) -> Iterator[Tour]:
    """Set the stage on a running installation."""
    environment = running.environment
    key = environment["STRIPE_API_KEY"]
    sign_ins = Path(environment.get("SAMPLE_FILE") or sign_ins_path())
    with connection(running.url) as web, connection(environment["STRIPE_API_BASE"]) as provider:
        api = Api(web)
        yield Tour(
            story=story,
            api=api,
            desks=Desks(api, story, sign_ins),
            chain=Chain(api),
            checkout=Provider(provider, key=_PUBLISHABLE + key.removeprefix(_SECRET)),
            merchant=Provider(provider, key=key),
            message_file=Path(environment["MESSAGE_FILE"]),
            environment=environment,
        )


def shown(moment: datetime) -> str:
    """A moment, to the minute, as in Taipei."""
    return f"{moment.astimezone(TAIPEI):%Y-%m-%d %H:%M}"
