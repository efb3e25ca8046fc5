"""One connection: a ticket in, events out, until somebody has enough."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID

import structlog
from aiohttp import web

from kernel import clock
from stream.hub import Follower, Hub, written
from stream.news import news_since, replayed_from
from stream.ticket import Ticket, read_ticket
from stream.watch import Watch, connected

log = structlog.get_logger()

PATH = "/v1/stream"

_BREATH_S = 15.0
"""So often something is sent, so that neither side takes the other for gone."""

_HUB = web.AppKey("hub", Hub)


def application() -> web.Application:
    """The stream's web application: `GET /v1/stream?ticket=…`, and `GET /live`."""
    app = web.Application()
    app[_HUB] = Hub()
    app.cleanup_ctx.append(_watching)
    app.on_shutdown.append(_let_all_go)
    app.router.add_get(PATH, follow)
    app.router.add_get("/live", live)
    return app


async def follow(request: web.Request) -> web.StreamResponse:
    """Tell what happens at a store; with Last-Event-ID, first what was missed."""
    ticket = read_ticket(request.query.get("ticket", ""), now=clock.now())
    if ticket is None:
        return _unauthenticated()
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
            "Access-Control-Allow-Origin": "*",  # a ticket is asked for, and no cookie is read
        }
    )
    await response.prepare(request)
    hub, follower = request.app[_HUB], Follower(ticket)
    hub.add(follower)
    try:
        await response.write(b"retry: 2000\n\n")
        await _catch_up(response, ticket, request.headers.get("Last-Event-ID"))
        await _tell(response, follower)
    except ConnectionResetError:
        pass
    finally:
        hub.remove(follower)
    return response


async def live(request: web.Request) -> web.Response:
    """Whether the process answers, and how many follow."""
    return web.json_response({"status": "live", "followers": len(request.app[_HUB])})


async def _tell(response: web.StreamResponse, follower: Follower) -> None:
    while True:
        try:
            event = await asyncio.wait_for(follower.waiting.get(), _BREATH_S)
        except TimeoutError:
            event = b":\n\n"
        if event is None:
            await response.write(b"event: end\ndata: {}\n\n")
            return
        await response.write(event)


async def _catch_up(response: web.StreamResponse, ticket: Ticket, last: str | None) -> None:
    try:
        heard = UUID(last or "")
    except ValueError:
        return
    async with connected() as connection:
        missed = await news_since(connection, [ticket.store_id], since=replayed_from(heard))
    for news in missed:
        if news.id != heard:
            await response.write(written(news))


async def _watching(app: web.Application) -> AsyncIterator[None]:
    watching = asyncio.create_task(Watch(app[_HUB]).run())
    yield
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching


async def _let_all_go(app: web.Application) -> None:
    for follower in app[_HUB]:
        follower.end()


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
