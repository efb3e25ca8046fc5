"""A screen follows its store: what happens is told once, in order, and only while it may."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import pytest
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import update

from chain.models import Device, OfficeSession
from kernel import clock
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from redemption.errors import InsufficientCups
from stream import hub, serve, watch
from stream.ticket import Ticket
from tests.service.redemption.tills import undo

PATIENCE_S = 20


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Look ten times a second: the tests need not wait as long as a screen may."""
    monkeypatch.setattr(watch, "EVERY_S", 0.1)


@pytest.fixture
def alice(world):
    alice = world.add_member()
    world.add_lot(alice, "eleven", store="A")
    return alice


def ticket(till, kind="device", principal=None) -> Ticket:
    ends_at = clock.now() + timedelta(hours=1)
    return Ticket(kind, till.store_id, principal or till.device_id, ends_at)


@asynccontextmanager
async def following(*tickets: Ticket, last: str | None = None):
    """Open connections, one for each ticket, all of them counted before anything happens."""
    async with TestClient(TestServer(serve.application())) as client:
        headers = {} if last is None else {"Last-Event-ID": last}
        opened = [
            await client.get("/v1/stream", params={"ticket": one.text()}, headers=headers)
            for one in tickets
        ]
        for response in opened:  # it is counted before it is told anything
            assert (await response.content.readline()).startswith(b"retry")
        yield opened


async def heard(response, count: int) -> list[tuple[str, str, dict]]:
    """The next events: kind, id, facts."""
    events, parts = [], {}
    while len(events) < count:
        line = (await asyncio.wait_for(response.content.readline(), PATIENCE_S)).decode().rstrip()
        if line.startswith((":", "retry")):
            continue
        if line:
            name, _, value = line.partition(": ")
            parts[name] = value
        elif parts:
            events.append((parts["event"], parts.get("id", ""), json.loads(parts["data"])))
            parts = {}
    return events


def test_everything_at_the_store_is_told_in_order_and_nothing_of_others(world, alice):
    here, elsewhere = world.add_till("A"), world.add_till("B")

    async def play():
        async with following(ticket(here)) as (screen,):
            world.take(elsewhere, alice, 1)
            redeemed = world.take(here, alice, 2)
            undo(here, redeemed, now=world.now)
            with pytest.raises(InsufficientCups):
                world.take(here, alice, 12)
            return redeemed, await heard(screen, 3)

    redeemed, events = asyncio.run(play())
    assert sorted(kind for kind, _, _ in events) == ["redemption", "turned_away", "void"]
    told = {kind: facts for kind, _, facts in events}
    assert told["redemption"]["id"] == redeemed.id
    assert told["redemption"]["items"] == [{"product_id": str(world.products["latte"]), "cups": 2}]
    assert told["void"]["redemption_id"] == redeemed.id
    assert told["turned_away"]["reason"] == "insufficient-cups"


def test_many_screens_hear_the_same_and_each_thing_once(world, alice):
    till = world.add_till("A")

    async def play():
        async with following(*[ticket(till)] * 5) as screens:
            first = world.take(till, alice, 1)
            before = [await heard(screen, 1) for screen in screens]
            second = world.take(till, alice, 1)
            after = [await heard(screen, 1) for screen in screens]
            return [first.id, second.id], before, after

    ids, before, after = asyncio.run(play())
    assert [event[0][2]["id"] for event in before] == [ids[0]] * 5
    assert [event[0][2]["id"] for event in after] == [ids[1]] * 5


def test_who_was_away_goes_on_after_what_they_heard_last(world, alice):
    till = world.add_till("A")
    heard_of = world.take(till, alice, 1)
    missed = world.take(till, alice, 1)

    async def play():
        async with following(ticket(till), last=heard_of.id) as (screen,):
            return await heard(screen, 1)

    ((kind, one, _),) = asyncio.run(play())
    assert (kind, one) == ("redemption", missed.id)


@pytest.mark.parametrize("kind", ["device", "office"])
def test_who_may_no_longer_follow_is_let_go_within_five_seconds(world, alice, kind):
    till = world.add_till("A")
    world.open_office("manager")
    session_id = db.session.query(OfficeSession.id).order_by(OfficeSession.id.desc()).first()[0]
    db.session.rollback()
    principal = till.device_id if kind == "device" else session_id

    def revoke():
        with transaction():
            model = Device if kind == "device" else OfficeSession
            ended = {"revoked_at": clock.now()} if kind == "device" else {"ended_at": clock.now()}
            db.session.execute(update(model).where(model.id == principal).values(**ended))

    async def play():
        async with following(ticket(till, kind, principal)) as (screen,):
            revoke()
            return await heard(screen, 1)

    ((told, _, _),) = asyncio.run(play())
    assert told == "end"
    assert watch.LIVE_EVERY * 1.0 < 5  # looks, a second apart


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: "",
        lambda text: text[:-2] + ("AA" if text[-2:] != "AA" else "BB"),
        lambda text: "x" + text[1:],
        lambda text: text + "é",
        lambda text: text[:20],
    ],
)
def test_what_is_no_ticket_of_ours_opens_nothing(world, spoil):
    text = ticket(world.add_till("A")).text()

    async def play():
        async with TestClient(TestServer(serve.application())) as client:
            answer = await client.get("/v1/stream", params={"ticket": spoil(text)})
            return answer.status, answer.content_type

    assert asyncio.run(play()) == (401, "application/problem+json")


def test_a_ticket_that_is_over_opens_nothing(world):
    till = world.add_till("A")
    over = Ticket("device", till.store_id, till.device_id, clock.now() - timedelta(seconds=1))

    async def play():
        async with TestClient(TestServer(serve.application())) as client:
            return (await client.get("/v1/stream", params={"ticket": over.text()})).status

    assert asyncio.run(play()) == 401


def test_who_has_stopped_listening_is_let_go():
    ends_at = clock.now() + timedelta(hours=1)
    follower = hub.Follower(Ticket("device", new_id(), new_id(), ends_at))

    async def play():
        for _ in range(200):
            follower.tell(b"x")
        waiting = [follower.waiting.get_nowait() for _ in range(follower.waiting.qsize())]
        return len(waiting), waiting[-1]

    assert asyncio.run(play()) == (101, None)


def test_a_hub_forgets_stores_that_nobody_follows():
    follower = hub.Follower(
        Ticket("device", UUID(int=1), UUID(int=2), clock.now() + timedelta(hours=1))
    )
    theirs = hub.Hub()
    theirs.add(follower)
    assert (len(theirs), theirs.stores) == (1, [UUID(int=1)])
    theirs.remove(follower)
    assert (len(theirs), theirs.stores) == (0, [])
