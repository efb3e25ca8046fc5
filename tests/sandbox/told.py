"""What the sandbox's events have told."""

import stripe


def types_about(client: stripe.V1Services, object_id: str) -> list[str]:
    """The types of the latest events about an object, oldest first."""
    latest = client.events.list({"limit": 100}).data
    return [event.type for event in latest if event.data.object["id"] == object_id][::-1]
