"""Where events are sent, and the queue of what is to be sent there."""

from datetime import datetime

from sandbox import delivery_queue
from sandbox.call import Call
from sandbox.config import Settings
from sandbox.errors import StripeError
from sandbox.ids import new_id
from sandbox.lists import Page, show_page
from sandbox.store import Document, Filter, Session

_CONFIGURED = "we_configuredByEnvironment"


def create(call: Call) -> Document:
    """Register an address. The signing secret is shown in this answer and never again."""
    params = call.params
    url = params.get_text("url")
    enabled_events = params.texts("enabled_events")
    description = params.find_text("description")
    metadata = params.metadata()
    params.ignore("api_version")
    if not url.startswith(("http://", "https://")):
        raise StripeError(
            "Invalid URL: it must begin with http or https.", code="url_invalid", param="url"
        )
    if not enabled_events:
        raise StripeError(
            "Missing required param: enabled_events.",
            code="parameter_missing",
            param="enabled_events",
        )
    params.finish()
    endpoint = _endpoint(new_id("we_"), url, enabled_events, now=call.now) | {
        "description": description,
        "metadata": metadata,
    }
    secret = new_id("whsec_", length=32)
    call.session.insert(endpoint, facts={"secret": secret})
    return endpoint | {"secret": secret}


def retrieve(call: Call) -> Document:
    call.params.finish()
    return call.get_from_path("webhook_endpoint")


def delete(call: Call) -> Document:
    call.params.finish()
    endpoint = call.get_from_path("webhook_endpoint")
    call.session.delete(endpoint["id"])
    return {"id": endpoint["id"], "object": "webhook_endpoint", "deleted": True}


def list_endpoints(call: Call) -> Document:
    page = Page(call.params)
    call.params.finish()
    return show_page(call, page, Filter("webhook_endpoint"), url="/v1/webhook_endpoints")


def configure(session: Session, settings: Settings, *, now: datetime) -> None:
    """Make the endpoint that the environment names the one that there is, or take it away."""
    session.delete(_CONFIGURED)
    if settings.webhook_url:
        endpoint = _endpoint(_CONFIGURED, settings.webhook_url, ["*"], now=now)
        session.insert(endpoint, facts={"secret": settings.webhook_secret})


def enqueue(call: Call, event: Document) -> int:
    """Queue an event for every endpoint that wants it; answers the number of deliveries."""
    interested = [
        str(endpoint["id"])
        for endpoint in call.session.list_older(Filter("webhook_endpoint"), than=None, limit=100)
        if not {"*", event["type"]}.isdisjoint(endpoint["enabled_events"])
    ]
    return delivery_queue.add(call.session, event["id"], interested, due_at=call.now.timestamp())


def _endpoint(endpoint_id: str, url: str, enabled_events: list[str], *, now: datetime) -> Document:
    return {
        "id": endpoint_id,
        "object": "webhook_endpoint",
        "api_version": None,
        "application": None,
        "created": int(now.timestamp()),
        "description": None,
        "enabled_events": enabled_events,
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": url,
    }
