"""A screen follows its store: what happens is told once, in order, and only while it may."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import delete, select, text, update

from chain.models import Device, OfficeSession, Staff, StaffStore
from kernel import clock
from kernel.db import db
from kernel.ids import new_id
from kernel.transaction import transaction
from redemption.errors import InsufficientCups
from redemption.models import TurnedAway
from stream import hub, serve, watch
from stream.connecting import connect
from stream.place import Place, before
from stream.ticket import Ticket
from tests.service.redemption.tills import undo

PATIENCE_S = 10


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
    now = clock.now()
    ends_at = now + timedelta(hours=1)
    return Ticket(kind, till.store_id, principal or till.device_id, now, ends_at)


@asynccontextmanager
async def serving():
    """A process that serves the streams."""
    async with TestClient(TestServer(serve.application())) as client:
        yield client


async def opened(client, ticket: Ticket, *, last: str | None = None):
    """A connection that is counted, and how far it says to be."""
    headers = {} if last is None else {"Last-Event-ID": last}
    response = await client.get("/v1/stream", params={"ticket": ticket.text()}, headers=headers)
    assert response.status == 200
    assert (await response.content.readline()).startswith(b"retry")
    place = (await response.content.readline()).decode().strip().removeprefix("id: ")
    return response, place


@asynccontextmanager
async def following(*tickets: Ticket, last: str | None = None):
    """Open connections, one for each ticket, all of them counted before anything happens."""
    async with serving() as client:
        yield [(await opened(client, one, last=last))[0] for one in tickets]


async def status_of(client, ticket: Ticket) -> int:
    """What somebody hears who asks to follow, and goes."""
    response = await client.get("/v1/stream", params={"ticket": ticket.text()})
    response.close()
    return response.status


def turn_away(till, *, ago_ms: int = 0) -> UUID:
    """A refusal that is seen now, and was made a while ago: its transaction took so long."""
    now = clock.now()
    refused = TurnedAway(
        id=UUID(int=before(new_id(), ago_ms).int | new_id().int % 2**80),
        store_id=till.store_id,
        device_id=till.device_id,
        staff_id=till.staff_id,
        cups=1,
        reason="insufficient-cups",
        turned_away_at=now,
        business_day=now.date(),
    )
    refused_id = refused.id
    with transaction():
        db.session.add(refused)
    return refused_id


def change(model, row_id: UUID, **values) -> None:
    with transaction():
        db.session.execute(update(model).where(model.id == row_id).values(**values))


def office_session(world) -> UUID:
    world.open_office("manager")
    with transaction():
        newest = select(OfficeSession.id).order_by(OfficeSession.id.desc()).limit(1)
        return db.session.scalars(newest).one()


async def heard(response, count: int) -> list[tuple[str, str, dict]]:
    """The next events: kind, id, facts."""
    events, parts = [], {}
    while len(events) < count:
        raw = await asyncio.wait_for(response.content.readline(), PATIENCE_S)
        assert raw, "the connection ended"
        line = raw.decode().rstrip()
        if line.startswith((":", "retry")):
            continue
        if line:
            name, _, value = line.partition(": ")
            parts[name] = value
        else:
            if "event" in parts:
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

    ((kind, _, facts),) = asyncio.run(play())
    assert (kind, facts["id"]) == ("redemption", missed.id)


@pytest.mark.parametrize("same_process", [True, False], ids=["same process", "another process"])
def test_who_comes_back_hears_all_and_nothing_twice(world, same_process):
    """By whatever process: even what was made before the last event, and is seen only now."""
    till = world.add_till("A")

    async def play():
        async with serving() as client, serving() as other:
            long_here = before(new_id(), 120_000)
            screen, _ = await opened(client, ticket(till), last=str(long_here))
            first, second = turn_away(till), turn_away(till)
            known = await heard(screen, 2)
            screen.close()
            late, meanwhile = turn_away(till, ago_ms=5_000), turn_away(till)
            back = client if same_process else other
            screen, _ = await opened(back, ticket(till), last=known[-1][1])
            missed = await heard(screen, 2)
            await asyncio.sleep(5 * watch.EVERY_S)
            last = turn_away(till)
            new = await heard(screen, 1)
            return [first, second, late, meanwhile, last], [*known, *missed, *new]

    made, events = asyncio.run(play())
    assert [UUID(facts["id"]) for _, _, facts in events] == made


def test_who_heard_nothing_yet_misses_nothing_either(world):
    till = world.add_till("A")

    async def play():
        async with serving() as client:
            screen, place = await opened(client, ticket(till))
            screen.close()
            missed = turn_away(till)
            screen, _ = await opened(client, ticket(till), last=place)
            return missed, await heard(screen, 1)

    missed, ((_, _, facts),) = asyncio.run(play())
    assert UUID(facts["id"]) == missed


def test_who_comes_for_the_first_time_hears_nothing_of_before(world):
    till = world.add_till("A")
    turn_away(till, ago_ms=2_500)

    async def play():
        async with following(ticket(till)) as (screen,):
            await asyncio.sleep(5 * watch.EVERY_S)
            return turn_away(till), await heard(screen, 1)

    new, ((_, _, facts),) = asyncio.run(play())
    assert UUID(facts["id"]) == new


def test_what_is_seen_late_is_told_to_those_who_are_there(world):
    """Its transaction took longer than others, so it was made before what was told already."""
    till = world.add_till("A")

    async def play():
        long_here = before(new_id(), 120_000)
        async with following(ticket(till), last=str(long_here)) as (screen,):
            made = [turn_away(till), turn_away(till, ago_ms=10_000)]
            return made, await heard(screen, 2)

    made, events = asyncio.run(play())
    assert {UUID(facts["id"]) for _, _, facts in events} == set(made)


def test_a_new_ticket_goes_on_where_the_one_before_ended(world):
    """An EventSource can say only in the address where another one had come to."""
    till = world.add_till("A")

    async def play():
        async with serving() as client:
            screen, place = await opened(client, ticket(till))
            screen.close()
            missed = turn_away(till)
            asked = {"ticket": ticket(till).text(), "last_event_id": place}
            screen = await client.get("/v1/stream", params=asked)
            return missed, await heard(screen, 1)

    missed, ((_, _, facts),) = asyncio.run(play())
    assert UUID(facts["id"]) == missed


def test_what_happened_while_the_process_stood_still_is_told(world):
    till = world.add_till("A")

    async def play():
        long_here = before(new_id(), 120_000)
        theirs = hub.Hub()
        follower = hub.Follower(ticket(till), Place(long_here, floor=long_here))
        theirs.add(follower)
        looking = watch.Watch(theirs)
        async with await connect() as connection:
            await looking.look(connection)
            looking._looked = before(new_id(), 90_000)  # noqa: SLF001  it stood still
            told = turn_away(till, ago_ms=60_000)
            await looking.look(connection)
            return told, follower.waiting.get_nowait()

    told, event = asyncio.run(play())
    assert event.id == told


def test_many_screens_that_come_at_once_ask_over_one_connection(world, engines):
    """As when the process was restarted: tills need the database's connections."""
    till = world.add_till("A")
    waiting = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'
    """

    async def play():
        url = engines.postgres.url("postgres", "jibei")
        async with serving() as client:
            with psycopg.connect(url) as holder:
                holder.execute("LOCK TABLE turned_away IN ACCESS EXCLUSIVE MODE")
                asked = {"ticket": ticket(till).text()}
                coming = [
                    asyncio.create_task(client.get("/v1/stream", params=asked)) for _ in range(20)
                ]
                await asyncio.sleep(0.5)
                (many,) = holder.execute(waiting).fetchone()
            return many, {(await one).status for one in coming}

    many, statuses = asyncio.run(play())
    assert 1 <= many <= 2  # of who comes, and of the watch
    assert statuses == {200}


def let_end(world, till, way):
    """A ticket that is good, and what ends the rights behind it."""
    if way == "device":
        return ticket(till), lambda: change(Device, till.device_id, revoked_at=clock.now())
    if way == "enrolled anew":
        return ticket(till), lambda: change(Device, till.device_id, enrolled_at=clock.now())
    session_id = office_session(world)
    with transaction():
        staff_id = db.session.get_one(OfficeSession, session_id).staff_id
        db.session.add(StaffStore(staff_id=staff_id, store_id=till.store_id))
    ends = {
        "moved": lambda: leave(staff_id),
        "signed out": lambda: change(OfficeSession, session_id, ended_at=clock.now()),
        "session over": lambda: change(OfficeSession, session_id, ends_at=clock.now()),
        "disabled": lambda: change(Staff, staff_id, disabled_at=clock.now()),
    }
    return ticket(till, "office", session_id), ends[way]


def leave(staff_id) -> None:
    with transaction():
        db.session.execute(delete(StaffStore).where(StaffStore.staff_id == staff_id))


WAYS = ["device", "enrolled anew", "signed out", "session over", "disabled", "moved"]


@pytest.mark.parametrize("way", WAYS)
def test_who_may_no_longer_follow_is_let_go_within_five_seconds_and_for_good(world, way):
    till = world.add_till("A")
    theirs, end = let_end(world, till, way)

    async def play():
        async with serving() as client:
            screen, _ = await opened(client, theirs)
            end()
            told = await heard(screen, 1)
            return told, await status_of(client, theirs)

    ((told, _, _),), status = asyncio.run(play())
    assert (told, status) == ("end", 401)
    assert (watch.LIVE_EVERY + 1) * 1.0 < 5  # looks, a second apart


def test_who_is_let_go_for_another_reason_is_not_told_that_it_is_over(world):
    """The process ends, or they were too slow: they come back by themselves."""
    till = world.add_till("A")

    async def play():
        application = serve.application()
        async with TestClient(TestServer(application)) as client:
            screen, _ = await opened(client, ticket(till))
            for follower in application[serve.HUB]:
                follower.let_go()
            return await screen.content.read()

    assert b"event" not in asyncio.run(play())


CUT_OFF = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%followed%'
"""


def test_a_database_that_was_away_is_asked_again(world):
    till = world.add_till("A")

    async def play():
        async with serving() as client:
            screen, place = await opened(client, ticket(till))
            screen.close()
            with transaction():
                db.session.execute(text(CUT_OFF))
            missed = turn_away(till)
            for _ in range(20):
                headers = {"Last-Event-ID": place}
                screen = await client.get(
                    "/v1/stream", params={"ticket": ticket(till).text()}, headers=headers
                )
                assert screen.status == 200  # or it would not come again by itself
                await screen.content.readline()
                if (await screen.content.readline()).startswith(b"id"):
                    return missed, await heard(screen, 1)
            raise AssertionError("never let in again")

    missed, ((_, _, facts),) = asyncio.run(play())
    assert UUID(facts["id"]) == missed


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
    now = clock.now()
    over = Ticket("device", till.store_id, till.device_id, now, now - timedelta(seconds=1))

    async def play():
        async with TestClient(TestServer(serve.application())) as client:
            return (await client.get("/v1/stream", params={"ticket": over.text()})).status

    assert asyncio.run(play()) == 401


def nobody_in_particular() -> hub.Follower:
    now = clock.now()
    theirs = Ticket("device", UUID(int=1), UUID(int=2), now, now + timedelta(hours=1))
    return hub.Follower(theirs, Place.here())


def test_who_has_stopped_listening_is_let_go_and_may_come_back():
    follower = nobody_in_particular()

    async def play():
        for _ in range(1_200):
            follower.tell(hub.Told(new_id(), b"x"))
        waiting = [follower.waiting.get_nowait() for _ in range(follower.waiting.qsize())]
        return len(waiting), waiting[-1], follower.may_return

    assert asyncio.run(play()) == (1_001, None, True)


def test_a_hub_forgets_stores_that_nobody_follows():
    follower = nobody_in_particular()
    theirs = hub.Hub()
    theirs.add(follower)
    assert (len(theirs), theirs.stores) == (1, [UUID(int=1)])
    theirs.remove(follower)
    assert (len(theirs), theirs.stores) == (0, [])
