"""The page behind a link to a subscription, for whoever opens it without the chain's app."""

from uuid import UUID

from flask import Blueprint, Response

from web.still import still_page

plan_pages = Blueprint("plan_pages", __name__)


@plan_pages.get("/s/<uuid:subscription_id>")
def page(subscription_id: UUID) -> Response:
    """Say what to do with the link. The same for every id, so it tells nothing about one."""
    del subscription_id
    return still_page("plan.html")
