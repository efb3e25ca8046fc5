"""Whatever a wallet holds, whatever is shown and asked: a dry run says what the scan then hears."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel.config import config
from redemption import token
from redemption.scan import Scan
from redemption.service.redeem import redeem, validate
from tests.examples import examples
from tests.service.redemption.offline.field import fill, show
from tests.service.redemption.test_codes_at_tills import credential
from tests.service.redemption.test_dry_run import answered
from tests.service.redemption.tills import price
from tests.world import World

BOTH, ANY = {"product": ("latte", "mocha")}, {"product": None, "covers_up_to": 50}
OFFERS: dict[str, dict[str, Any]] = {
    "lattes": {},
    "both": BOTH,
    "few a day": {**BOTH, "cups_per_day": 3},
    "one at a time": {**BOTH, "max_cups": 1},
    "apart": {**BOTH, "minimum_interval_s": 1800},
    "fifty": ANY,
    "topped up": {**ANY, "allows_top_up": True},
    "untaxed": {**ANY, "allows_top_up": True, "vat_code": "zero"},
    "late": {**BOTH, "expiry_mode": "top_up", "price": 240, "cups": 5, "bonus_cups": 0},
    "money": {**BOTH, "vat_timing": "redemption"},
    "rateless": {**BOTH, "vat_timing": "redemption", "vat_code": "unheard-of"},
    "here": {**BOTH, "accepted_at": "selling"},
    "kiosk": {**BOTH, "redeem_channels": ["kiosk"]},
}

lots = st.lists(
    st.tuples(
        st.sampled_from([*OFFERS, "few a day", "apart", "topped up"]),
        st.integers(1, 8),
        st.sampled_from("AAB"),
        st.sampled_from([None, None, 1, 30, -1]),
        st.sampled_from([False] * 9 + [True]),
    ),
    max_size=3,
)
drinks = st.sampled_from(
    [{"latte": cups} for cups in (1, 2, 4, 6)]
    + [{"mocha": 1}, {"latte": 1, "mocha": 1}, {"latte": 3, "mocha": 1}]
)
scans = st.lists(
    st.tuples(st.sampled_from(["phone", "phone", "card", "capsule"]), drinks),
    min_size=2,
    max_size=4,
)


class Wallet:
    """What one member holds and can show; the clock stands still."""

    def __init__(self, world: World) -> None:
        self.world, self.till, self.member_id = world, world.add_till("A"), world.add_member()
        self.phone = world.add_credential(self.member_id)
        self.card = token.make_card(credential(world, self.member_id, kind="card"))
        self.capsule = fill(world, self.member_id, cups=2)

    def add_lot(self, offer: str, cups: int, store: str, days: int | None, is_frozen: bool) -> None:
        terms, now = OFFERS[offer], self.world.now
        vat = 0 if "vat_timing" in terms else 2 * cups
        held: dict[str, Any] = {"units": cups, "net": 43 * cups, "vat": vat}
        if "expiry_mode" in terms:
            held |= {"expiry_mode": "top_up", "ends_at": now, "due_at": None}
        elif days is not None:
            held |= {"ends_at": now + timedelta(days=days)}
        if is_frozen:
            held |= {"frozen_at": now}
        self.world.add_lot(self.member_id, offer, store=store, **held)

    def scan(self, kind: str, step: int, wanted: Mapping[str, int], *, top_up: int = 0) -> Scan:
        """What the till sends when this is shown, so many steps ago."""
        shown = {
            "phone": self.world.code(self.phone, step=-step),
            "card": self.card,
            "capsule": show(self.capsule, self.world.now - step * timedelta(seconds=15)),
        }
        return self.world.scan(self.till, shown[kind], drinks=wanted, top_up=top_up)


@pytest.fixture
def careful(monkeypatch):
    """Where many cups, and those of a new phone, want an approval."""
    monkeypatch.setenv("APPROVAL_FROM_CUPS", "5")
    monkeypatch.setenv("NEW_DEVICE_CUPS", "6")
    config.cache_clear()
    yield
    monkeypatch.undo()
    config.cache_clear()


@settings(
    max_examples=examples(20),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(held=lots, asked=scans)
@pytest.mark.usefixtures("careful")
def test_a_dry_run_says_what_the_scan_then_hears(world, held, asked):
    if "late" not in world.offers:
        price(world.products["mocha"], 80)
        for code, terms in OFFERS.items():
            world.add_offer(code, **terms)
    wallet = Wallet(world)
    for lot in held:
        wallet.add_lot(*lot)
    for step, (kind, wanted) in enumerate(asked):
        first = wallet.scan(kind, step, wanted)
        said = answered(validate, world, first)
        assert answered(redeem, world, first) == said
        if isinstance(said, tuple) and said[0] == "top-up-due":
            paid = wallet.scan(kind, step, wanted, top_up=said[1]["due"])
            said = answered(validate, world, paid)
            assert answered(redeem, world, paid) == said
