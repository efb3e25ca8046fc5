"""The application: the only place where everything meets."""

import os
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from flask import Flask, Response, g

from api import browser, errors, openapi
from api.accounts import accounts, vat_rates
from api.adjustments import adjustments
from api.breakage import estimates, runs
from api.capsules import capsule_keys, capsules, wallet_capsules
from api.cards import cards
from api.cash_repayments import cash_repayments
from api.counter_orders import counter_orders
from api.credentials import credentials, spoken_codes
from api.daily_messages import daily_messages
from api.day_sheets import day_sheets
from api.devices import devices
from api.disowned import collected
from api.entries import entries
from api.exports import exports
from api.gifts import gift_blocks, gifts
from api.health import health
from api.heartbeats import heartbeats
from api.idempotency import REPLAYED
from api.invoices import invoice_ranges, invoices
from api.late_voids import late_voids
from api.legal_entities import legal_entities, store_owners
from api.limits import refuse_oversized
from api.member_clocks import member_clocks
from api.members import members
from api.office_sessions import office_sessions
from api.offline_reviews import offline_reviews
from api.offline_uploads import offline_uploads
from api.openapi import documents
from api.orders import orders
from api.packs import packs
from api.payment_differences import payment_differences
from api.periods import periods, reopenings
from api.plan_changes import plan_changes
from api.plan_migrations import plan_migrations
from api.plans import plans
from api.prepaid_plans import prepaid_plans
from api.problem_pages import problem_pages
from api.products import products
from api.receipts import receipts
from api.redemptions import redemptions
from api.refunds import office_refunds, refunds
from api.reports import reports
from api.routing import MOST_BODY_BYTES, Resource
from api.sandbox_clock import sandbox_clock
from api.seal import sealed
from api.sessions import sessions
from api.settlements import settlements
from api.sharers import invitations, shared_plans, sharers
from api.shifts import shifts
from api.sign_in import sign_in
from api.staff import staff
from api.stats import stats
from api.stores import stores
from api.streams import desk_streams, streams
from api.subscriptions import subscriptions
from api.validations import validations
from api.wallet import wallet
from api.wallet_blocks import own_block, wallet_blocks
from api.wallet_cards import cards_at_tills, wallet_cards
from api.webhooks import webhooks
from kernel.application import bare_application
from kernel.config import config
from kernel.db import db
from kernel.logging import configure
from web.disowned import disowned_pages
from web.docs import docs
from web.gifts import gift_pages
from web.invitations import invitation_pages
from web.plans import plan_pages

RESOURCES: tuple[Resource, ...] = (
    health,
    documents,
    problem_pages,
    sign_in,
    sessions,
    members,
    stores,
    products,
    packs,
    plans,
    plan_migrations,
    orders,
    receipts,
    cash_repayments,
    counter_orders,
    cards,
    webhooks,
    wallet,
    own_block,
    wallet_blocks,
    credentials,
    spoken_codes,
    wallet_cards,
    cards_at_tills,
    wallet_capsules,
    capsules,
    capsule_keys,
    collected,
    gifts,
    gift_blocks,
    subscriptions,
    plan_changes,
    daily_messages,
    prepaid_plans,
    sharers,
    invitations,
    shared_plans,
    devices,
    heartbeats,
    staff,
    shifts,
    redemptions,
    validations,
    offline_uploads,
    offline_reviews,
    refunds,
    office_refunds,
    office_sessions,
    periods,
    reopenings,
    adjustments,
    settlements,
    payment_differences,
    invoices,
    invoice_ranges,
    estimates,
    runs,
    accounts,
    vat_rates,
    late_voids,
    day_sheets,
    streams,
    desk_streams,
    legal_entities,
    store_owners,
    entries,
    exports,
    reports,
    stats,
    sandbox_clock,
    member_clocks,
)

# What anyone may see and that is no resource: the page of the documents, and its assets.
_OPEN_ENDPOINTS = frozenset(
    {
        "docs.page",
        "docs.static",
        "gift_pages.page",
        "invitation_pages.page",
        "plan_pages.page",
        "disowned_pages.ask",
        "disowned_pages.disown",
    }
)


def create_app(resources: Sequence[Resource] = RESOURCES) -> Flask:
    """Put the application together from the environment.

    Raises:
        ConfigError: the environment is not complete.
        RuntimeError: a route declares no guard.
    """
    settings = config()
    configure(settings.mode)
    app = bare_application()
    app.config["MAX_CONTENT_LENGTH"] = MOST_BODY_BYTES
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.merge_slashes = False  # one address, one thing: no redirects
    app.ensure_sync = _as_it_is  # type: ignore[assignment, method-assign]
    _offer_migrations(app)
    errors.register(app)
    app.before_request(refuse_oversized)
    app.after_request(_finish)
    for resource in resources:
        app.register_blueprint(resource.blueprint)
    app.register_blueprint(docs)
    app.register_blueprint(gift_pages)
    app.register_blueprint(invitation_pages)
    app.register_blueprint(plan_pages)
    app.register_blueprint(disowned_pages)
    app.extensions[openapi.EXTENSION] = cache(lambda: openapi.written(resources))
    _refuse_unguarded(app)
    app.wsgi_app = sealed(app.wsgi_app, settings)  # type: ignore[assignment, method-assign]
    return app


def _as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
    """Call views and hooks as they are: none is `async`, and Flask looks anew at each call."""
    return function


def _offer_migrations(app: Flask) -> None:
    """Add `flask db …`, on the command line only: in a server it would be 8 MB a worker."""
    if os.environ.get("FLASK_RUN_FROM_CLI") == "true":
        from flask_migrate import Migrate  # noqa: PLC0415

        Migrate(app, db, directory="migrations")  # type: ignore[no-untyped-call]


def _finish(response: Response) -> Response:
    """Add what a view asked for beside its answer."""
    if g.pop("is_replayed", False):
        response.headers[REPLAYED] = "true"
    browser.set_cookie(response)
    return response


def _refuse_unguarded(app: Flask) -> None:
    """Deny by default: what came in past `Resource` has no guard, and is not served.

    Raises:
        RuntimeError: with the names of such routes.
    """
    unguarded = sorted(
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in _OPEN_ENDPOINTS
        and not hasattr(app.view_functions[rule.endpoint], "route")
    )
    if unguarded:
        raise RuntimeError(f"these routes declare no guard: {', '.join(unguarded)}")
