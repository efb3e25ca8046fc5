"""A year of trade on engines of its own, and its months as finance reads them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from alembic import command
from alembic.config import Config as Migrations
from sqlalchemy import func, select

import vouchers
from bench import trade
from chain.models import Store
from dev.home import CHECKOUT
from dev.telling import Telling
from kernel import hot
from kernel.application import bare_application
from kernel.db import db
from kernel.embedded import running_postgres, running_valkey
from kernel.transaction import snapshot
from ledger import export, reports
from ledger.export.naming import component
from ledger.export.reading import CUPS
from ledger.models import RollupDay
from ledger.month import Month

Book = dict[tuple[str, str, str], int]
"""Debits less credits since the beginning, by store, account and commodity."""

_TOLD = 4
_STORES = select(Store.id, Store.code)
_CUPS = select(RollupDay.store_id, RollupDay.account, -func.sum(RollupDay.cups)).group_by(
    RollupDay.store_id, RollupDay.account
)

# Nothing of it outlives the proof.
_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@contextmanager
def empty_books(folder: Path) -> Iterator[None]:
    """An application on engines that are gone afterwards, with all tables and nothing in them."""
    with (
        running_postgres(folder / "postgres", settings=_SETTINGS) as postgres,
        running_valkey(folder / "valkey") as valkey,
    ):
        os.environ |= {
            "JIBEI_MODE": "development",
            "DATABASE_URL": postgres.url("jibei_app", "jibei"),
            "DATABASE_OWNER_URL": postgres.url("jibei_owner", "jibei"),
            "REDIS_URL": valkey.url,
            "SECRET_KEY": "b0" * 32,
            "STRIPE_API_KEY": "sk_test_none",
            "STRIPE_WEBHOOK_SECRET": "whsec_none",
            "PUBLIC_ORIGIN": "http://127.0.0.1",
            "MESSAGE_FILE": str(folder / "messages.log"),
        }
        migrations = Migrations(str(CHECKOUT / "migrations" / "alembic.ini"))
        migrations.set_main_option("script_location", str(CHECKOUT / "migrations"))
        command.upgrade(migrations, "head")
        with bare_application().app_context():
            yield
            hot.close()
            db.engine.dispose()


def play(*, seed: int, stores: int, members: int, first_on: date) -> list[Month]:
    """Let a chain trade for a year, closing month after month; answers the closed ones."""
    say = Telling("playing a year of trade")
    played = trade.play(
        seed, stores, members, 12, first_on, progress=lambda day, _: say.now(f"{day:%Y-%m}")
    )
    counted = ", ".join(f"{times:,} {what}" for what, times in played.done.most_common(_TOLD))
    say.done(f"{len(played.months)} months closed: {counted} …")
    return played.months


def written(month: Month, form: str, folder: Path) -> Path:
    """Export a closed month into a file."""
    file = folder / f"{month}.{export.FORMS[form].ending}"
    with snapshot(), file.open("w", encoding="utf-8", newline="") as out:
        export.write(month=month, form=form, out=out, offers=vouchers.list_offer_codes())
    return file


def ours(month: Month) -> Book:
    """What every account of every store holds at a month's end, without what holds nothing.

    Money by the trial balance, cups by the roll-ups, of which no report shows all.
    """
    with snapshot():
        codes = {store_id: component(code) for store_id, code in db.session.execute(_STORES)}
        held = {
            (code, component(line.account), line.currency): line.closing
            for store_id, code in codes.items()
            for line in reports.trial_balance(month.first_on, month.last_on, store_id=store_id)
        }
        until = _CUPS.where(RollupDay.book_date < month.next_on)
        for store_id, account, cups in db.session.execute(until):
            held[codes[store_id], component(account), CUPS] = int(cups)
    return {cell: amount for cell, amount in held.items() if amount}
