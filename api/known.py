"""What a body names must be there: stores, offers, products. Those of a path are not found."""

from collections.abc import Collection, Mapping
from uuid import UUID

from marshmallow import ValidationError

import chain
import vouchers


def refuse_unknown_stores(named: Mapping[str, UUID | None]) -> None:
    """Refuse ids of no store, by the fields that hold them: `lines.0.store_id`.

    Raises:
        ValidationError: with every such field.
    """
    _refuse_unknown(named, chain.names_of_stores())


def refuse_unknown_offers(named: Mapping[str, UUID | None]) -> None:
    """The same for offers, on sale or not.

    Raises:
        ValidationError: with every such field.
    """
    _refuse_unknown(named, vouchers.list_offer_codes())


def refuse_unknown_entities(named: Mapping[str, UUID | None]) -> None:
    """The same for legal entities.

    Raises:
        ValidationError: with every such field.
    """
    _refuse_unknown(named, chain.names_of_entities())


def refuse_unknown_products(named: Mapping[str, UUID | None], *, currency: str) -> None:
    """The same for products; they are also priced in this currency.

    Raises:
        ValidationError: with every such field.
    """
    there = chain.find_products([one for one in named.values() if one])
    _refuse_unknown(named, there)
    foreign = {
        way: ["Is priced in another currency."]
        for way, one in named.items()
        if one and there[one].currency != currency
    }
    if foreign:
        raise ValidationError(foreign)


def _refuse_unknown(named: Mapping[str, UUID | None], known: Collection[UUID]) -> None:
    wrong = {way: ["Is not there."] for way, one in named.items() if one and one not in known}
    if wrong:
        raise ValidationError(wrong)
