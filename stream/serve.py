"""One connection: a ticket in, events out, until somebody has enough."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

import psycopg
import structlog
from aiohttp import web

from kernel import clock
from stream.connecting import Counter
from stream.hub import Follower, Hub, Told, written
from stream.news import News, long_ago, news_since
from stream.place import Place
from stream.rights import live_of
from stream.ticket import read_ticket
from stream.watch import Watch

log = structlog.get_logger()

PATH = "/v1/stream"

_BREATH_S = 15.0
"""So often something is sent, so that neither side takes the other for gone."""

_PATIENCE_S = 30.0
"""Whoever reads nothing for so long, while there is something to read, is gone."""

_RETRY = "retry: 2000"

HUB = web.AppKey("hub", Hub)
_COUNTER = web.AppKey("counter", Counter)


def application() -> web.Application:
    """The stream's web application: `GET /v1/stream?ticket=…`, and `GET /live`."""
    app = web.Application()
    app[HUB], app[_COUNTER] = Hub(), Counter()
    app.cleanup_ctx.append(_watching)
    app.on_shutdown.append(_let_all_go)
    app.router.add_get(PATH, follow)
    app.router.add_get("/live", live)
    return app


async def follow(request: web.Request) -> web.StreamResponse:
    """Tell what happens at a store from now on; with Last-Event-ID, first what was missed.

    That may stand in the address as well, since an EventSource with a new ticket can say it only
    there.
    """
    ticket = read_ticket(request.query.get("ticket", ""), now=clock.now())
    if ticket is None:
        return _unauthenticated()
    last = request.headers.get("Last-Event-ID") or request.query.get("last_event_id")
    place = Place.read(last)
    hub, follower = request.app[HUB], Follower(ticket, place or Place.here())
    hub.add(follower)  # before the look at what was missed: nothing falls between the two
    try:
        return await _followed(request, follower, comes_back=place is not None)
    finally:
        hub.remove(follower)


async def _followed(
    request: web.Request, follower: Follower, *, comes_back: bool
) -> web.StreamResponse:
    """1. ask whether they may, and what they missed; 2. say that; 3. go on with what is new."""
    try:
        missed = await _asked(request, follower, comes_back=comes_back)
    except psycopg.Error as problem:
        log.warning("stream.database_away", problem=type(problem).__name__)
        return await _come_again(request)
    if missed is None:
        return _unauthenticated()
    response = _opened()
    await response.prepare(request)
    with suppress(ConnectionResetError):
        try:
            await _tell(response, follower, missed)
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
    return response


async def live(request: web.Request) -> web.Response:
    """Whether the process answers, and how many follow."""
    return web.json_response({"status": "live", "followers": len(request.app[HUB])})


async def _asked(
    request: web.Request, follower: Follower, *, comes_back: bool
) -> Sequence[News] | None:
    """What somebody missed who comes back; None for whom the ticket is not good any more."""
    ticket = follower.ticket
    async with request.app[_COUNTER].turn() as connection:
        if not await live_of(connection, [ticket], now=clock.now()):
            return None
        if not comes_back:
            return ()
        since = max(follower.place.since, long_ago())
        return await news_since(connection, ticket.store_id, since=since)


async def _tell(response: web.StreamResponse, follower: Follower, missed: Sequence[News]) -> None:
    """Tell what was missed, and then all that comes; each event says how far one has heard."""
    await _write(response, f"{_RETRY}\nid: {follower.place}\n\n".encode())
    for news in missed:
        await _told(response, written(news), follower.place)
    while True:
        try:
            event = await asyncio.wait_for(follower.waiting.get(), _BREATH_S)
        except TimeoutError:
            await _write(response, b":\n\n")
            continue
        if event is None:
            if not follower.may_return:
                await _write(response, b"event: end\ndata: {}\n\n")
            return
        await _told(response, event, follower.place)


async def _told(response: web.StreamResponse, event: Told, place: Place) -> None:
    if not place.has(event.id):
        place.hear(event.id)
        await _write(response, event.text + f"id: {place}\n\n".encode())


async def _write(response: web.StreamResponse, text: bytes) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        await response.write(text)


def _opened() -> web.StreamResponse:
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
            "Access-Control-Allow-Origin": "*",  # a ticket is asked for, and no cookie is read
        }
    )
    response.force_close()
    return response


async def _come_again(request: web.Request) -> web.StreamResponse:
    """Say nothing, and end: after a refusal an EventSource would not come back by itself."""
    response = _opened()
    await response.prepare(request)
    with suppress(ConnectionResetError):
        await response.write(f"{_RETRY}\n\n".encode())
    return response


async def _watching(app: web.Application) -> AsyncIterator[None]:
    watching = asyncio.create_task(Watch(app[HUB]).run())
    yield
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    await app[_COUNTER].close()


async def _let_all_go(app: web.Application) -> None:
    for follower in app[HUB]:
        follower.let_go()


def _unauthenticated() -> web.Response:
    """As the interface refuses everywhere."""
    problem = {
        "type": "/problems/unauthenticated",
        "title": "Not signed in",
        "status": 401,
        "detail": "Ask for a new ticket at /v1/streams.",
    }
    return web.Response(
        text=json.dumps(problem), status=401, content_type="application/problem+json"
    )
