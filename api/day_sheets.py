"""What a store did on a business day: for its managers and finance, live for its own screens."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from marshmallow import fields, validate

import chain
import redemption.day
from api.auth import DeviceCaller, OfficeCaller, TillCaller, office, till_or_device
from api.fields import Day, Id, Integer, MoneyField, Schema, Text, Timestamp
from api.routing import Resource
from chain import StoreScope
from kernel import clock
from kernel.errors import NotFound
from redemption.day import RULES, Flag, Sheet, Sum

day_sheets = Resource(
    "day_sheets", "/v1/day-sheets", "Day sheets: what a store handed over on a business day."
)

_READS = office("manager", "finance", "admin")


class SheetQuery(Schema):
    """Which store, and which of its business days."""

    store_id = Id(required=True, metadata={"description": "The store; managers name their own."})
    on = Day(
        load_default=None,
        metadata={"description": "The business day; today's, so far, where it is left out."},
    )


class SumView(Schema):
    """Cups of one drink, hour, clerk or selling store."""

    code = Text(required=True, metadata={"description": "A short name, or the hour, 0 to 23."})
    name = Text(required=True, metadata={"description": "What people call it."})
    cups = Integer(required=True, metadata={"description": "Handed over."})
    cups_voided = Integer(required=True, metadata={"description": "Of them undone since."})
    amount = MoneyField(
        required=True,
        metadata={
            "description": "What those that stayed carried: net of VAT, or with"
            " it where a voucher is taxed at the till."
        },
    )
    top_up = MoneyField(
        required=True, metadata={"description": "What was paid for them besides, VAT included."}
    )


class VoidedView(Schema):
    """A void that was made on the day, whenever the cups had been handed over."""

    redemption_id = Id(required=True, metadata={"description": "The redemption."})
    staff = Text(
        required=True,
        allow_none=True,
        metadata={"description": "Who undid it; null: nobody, it was settled anew."},
    )
    approved_by = Text(
        required=True,
        allow_none=True,
        metadata={"description": "Who agreed, where it came after the store's time."},
    )
    cups = Integer(required=True, metadata={"description": "How many cups went back."})
    reason = Text(required=True, allow_none=True, metadata={"description": "Why, if it was said."})
    redeemed_at = Timestamp(required=True, metadata={"description": "When they were handed over."})
    voided_at = Timestamp(required=True, metadata={"description": "When they went back."})


class RefusedView(Schema):
    """How often somebody was told no."""

    reason = Text(required=True, metadata={"description": "Why: the slug of the problem."})
    staff = Text(required=True, metadata={"description": "Who heard it at the till."})
    times = Integer(required=True, metadata={"description": "How often."})
    cups = Integer(required=True, metadata={"description": "How many cups were asked for."})


class OfflineView(Schema):
    """What tills without a network served."""

    outcome = Text(required=True, metadata={"description": "What became of it."})
    reason = Text(required=True, allow_none=True, metadata={"description": "Why, if not applied."})
    is_open = fields.Boolean(
        required=True, metadata={"description": "Whether it waits for a person."}
    )
    items = Integer(required=True, metadata={"description": "How many times."})
    cups = Integer(required=True, metadata={"description": "How many cups."})
    cups_borne = Integer(
        required=True, metadata={"description": "How many of them the chain bears."}
    )


class FlagView(Schema):
    """Something to look at."""

    rule = Text(
        required=True,
        validate=validate.OneOf(RULES),
        metadata={"description": "What is unusual.", "example": "many_voids"},
    )
    times = Integer(required=True, metadata={"description": "How often."})
    staff = Text(required=True, allow_none=True, metadata={"description": "Whose, if anybody's."})
    device_id = Id(
        required=True, allow_none=True, metadata={"description": "At which device, if one."}
    )
    redemption_ids = fields.List(
        Id(), required=True, metadata={"description": "Which redemptions, at most twenty of them."}
    )


class SheetView(Schema):
    """A store's business day."""

    store_id = Id(required=True, metadata={"description": "The store."})
    on = Day(required=True, metadata={"description": "The business day."})
    cups = Integer(required=True, metadata={"description": "Handed over, offline ones among them."})
    cups_voided = Integer(required=True, metadata={"description": "Of them undone since."})
    cups_offline = Integer(
        required=True, metadata={"description": "Of them served without a network."}
    )
    cups_borne = Integer(
        required=True,
        metadata={"description": "Served besides, and taken from no wallet: the chain bears them."},
    )
    by_product = fields.List(
        fields.Nested(SumView), required=True, metadata={"description": "By drink."}
    )
    by_hour = fields.List(
        fields.Nested(SumView),
        required=True,
        metadata={"description": "By hour on the store's clock."},
    )
    by_clerk = fields.List(
        fields.Nested(SumView), required=True, metadata={"description": "By who handed over."}
    )
    by_seller = fields.List(
        fields.Nested(SumView),
        required=True,
        metadata={"description": "By the store that sold the cups: itself, or others who owe it."},
    )
    voids = fields.List(
        fields.Nested(VoidedView), required=True, metadata={"description": "Voids of the day."}
    )
    refused = fields.List(
        fields.Nested(RefusedView), required=True, metadata={"description": "Refusals, by reason."}
    )
    wrong_codes = Integer(
        required=True, metadata={"description": "How often something was scanned that is no code."}
    )
    offline = fields.List(
        fields.Nested(OfflineView), required=True, metadata={"description": "Served offline."}
    )
    flags = fields.List(
        fields.Nested(FlagView), required=True, metadata={"description": "What to look at."}
    )


class CountView(Schema):
    """What a store has handed over so far today."""

    store_id = Id(required=True, metadata={"description": "The store."})
    on = Day(required=True, metadata={"description": "The business day."})
    cups = Integer(required=True, metadata={"description": "Handed over."})
    cups_voided = Integer(required=True, metadata={"description": "Of them undone since."})
    cups_offline = Integer(
        required=True, metadata={"description": "Of them served without a network."}
    )
    by_product = fields.List(
        fields.Nested(SumView(only=("code", "name", "cups", "cups_voided"))),
        required=True,
        metadata={"description": "By drink."},
    )


@day_sheets.get(
    "",
    guard=_READS,
    query=SheetQuery,
    answer=SheetView,
    transaction="snapshot",
    refusals=(NotFound, StoreScope),
)
def read_sheet(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """Read a store's day: cups by drink, hour, clerk and selling store, voids, refusals, flags.

    Managers read their own stores'. What was undone later is in it as undone.
    """
    store_id = chain.get_store(query["store_id"]).id
    chain.check_scope(store_id, staff_id=caller.staff_id, role=caller.role)
    on = query["on"] or chain.business_day(store_id, clock.now())
    return _told(redemption.day.day_sheet(store_id=store_id, on=on))


@day_sheets.get("/current", guard=till_or_device, answer=CountView, transaction="snapshot")
def count_today(*, caller: TillCaller | DeviceCaller) -> dict[str, Any]:
    """Count what this device's store has handed over so far today."""
    on = chain.business_day(caller.store_id, clock.now())
    sheet = redemption.day.count_day(store_id=caller.store_id, on=on)
    return _counted(sheet) | {"by_product": _sums(sheet.by_product, _drink(sheet.by_product))}


def _counted(sheet: Sheet) -> dict[str, Any]:
    return {
        "store_id": sheet.day.store_id,
        "on": sheet.day.on,
        "cups": sheet.cups,
        "cups_voided": sheet.cups_voided,
        "cups_offline": sheet.cups_offline,
    }


def _told(sheet: Sheet) -> dict[str, Any]:
    people = chain.names_of_staff(_people(sheet))
    stores = chain.names_of_stores()
    return {
        **_counted(sheet),
        "cups_borne": sheet.cups_borne,
        "by_product": _sums(sheet.by_product, _drink(sheet.by_product)),
        "by_hour": _sums(sheet.by_hour, lambda hour: (str(hour), f"{hour:02}:00")),
        "by_clerk": _sums(sheet.by_clerk, lambda one: people.get(one, ("", ""))),
        "by_seller": _sums(sheet.by_seller, lambda one: (stores[one].code, stores[one].name)),
        "voids": [
            {
                **void._asdict(),
                "staff": _called(people, void.staff_id),
                "approved_by": _called(people, void.approved_by_id),
            }
            for void in sheet.day.voids
        ],
        "refused": [
            {**no._asdict(), "staff": _called(people, no.staff_id)} for no in sheet.day.noes
        ],
        "wrong_codes": sum(one.times for one in sheet.day.guessed),
        "offline": [one._asdict() for one in sheet.day.offline],
        "flags": [_flag(flag, people) for flag in sheet.flags],
    }


def _sums(sums: Iterable[Sum], called: Callable[[Any], tuple[str, str]]) -> list[dict[str, Any]]:
    shown = ("cups", "cups_voided", "amount", "top_up", "currency")
    return [
        {
            "code": called(one.of)[0],
            "name": called(one.of)[1],
            **{name: getattr(one, name) for name in shown},
        }
        for one in sums
    ]


def _drink(sums: Iterable[Sum]) -> Callable[[Any], tuple[str, str]]:
    drinks = chain.find_products({one.of for one in sums if isinstance(one.of, UUID)})
    return lambda one: (drinks[one].code, f"{drinks[one].name} {drinks[one].size}".strip())


def _people(sheet: Sheet) -> set[UUID]:
    day = sheet.day
    named = {cell.staff_id for cell in day.cells} | {no.staff_id for no in day.noes}
    named |= {one for void in day.voids for one in (void.staff_id, void.approved_by_id) if one}
    return named | {flag.staff_id for flag in sheet.flags if flag.staff_id}


def _called(people: Mapping[UUID, tuple[str, str]], staff_id: UUID | None) -> str | None:
    return None if staff_id is None else people.get(staff_id, ("", ""))[1]


def _flag(flag: Flag, people: Mapping[UUID, tuple[str, str]]) -> dict[str, Any]:
    return {
        "rule": flag.rule,
        "times": flag.times,
        "staff": _called(people, flag.staff_id),
        "device_id": flag.device_id,
        "redemption_ids": flag.redemption_ids,
    }
