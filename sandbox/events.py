"""Events: what happened, as the webhooks tell it."""

from copy import deepcopy

from sandbox.call import Call
from sandbox.ids import new_id
from sandbox.lists import Page, read_created, show_page
from sandbox.store import Document, Filter
from sandbox.webhook_endpoints import enqueue

API_VERSION = "2026-10-28.endive"
"""The version whose object shapes are served."""


def emit(call: Call, type: str, document: Document) -> None:  # noqa: A002  Stripe's word
    """Record that something happened to `document` and queue its deliveries.

    In the same transaction as the change itself, so that there is one exactly when there is the
    other.
    """
    event: Document = {
        "id": new_id("evt_"),
        "object": "event",
        "api_version": API_VERSION,
        "created": call.created,
        "data": {"object": deepcopy(document)},
        "livemode": False,
        "pending_webhooks": 0,
        "request": {"id": call.request_id, "idempotency_key": call.idempotency_key},
        "type": type,
    }
    event["pending_webhooks"] = enqueue(call, event)
    call.session.insert(event)


def retrieve(call: Call) -> Document:
    call.params.finish()
    return _with_pending(call, call.get_from_path("event"))


def list_events(call: Call) -> Document:
    page, created = Page(call.params), read_created(call.params)
    type_ = call.params.find_text("type")
    call.params.finish()
    shown = Filter("event", type=type_, created=created)
    answer = show_page(call, page, shown, url="/v1/events")
    answer["data"] = [_with_pending(call, event) for event in answer["data"]]
    return answer


def _with_pending(call: Call, event: Document) -> Document:
    """How many deliveries are still to come is counted when somebody asks."""
    (pending,) = call.session.connection.execute(
        "SELECT count(*) FROM deliveries WHERE event_id = ? AND due_at IS NOT NULL",
        (event["id"],),
    ).fetchone()
    return event | {"pending_webhooks": pending}
