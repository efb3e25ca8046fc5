"""What some cups of a lot carry: they leave it with their money, and come back with the same."""

from dataclasses import dataclass

from ledger.policy import carried
from vouchers.models import Lot


@dataclass(frozen=True, slots=True)
class Slice:
    """Cups of one lot, with the net money and the VAT that go with them."""

    cups: int
    net: int
    vat: int

    @property
    def gross(self) -> int:
        return self.net + self.vat


@dataclass(frozen=True, slots=True)
class Prepaid:
    """A period of a plan that was paid before: the lot that it left, and what it took along."""

    lot: Lot
    part: Slice


def left_in(lot: Lot) -> int:
    """Cups that are left in a lot; of one that earns by the day one, if any of its rest is."""
    if lot.units:
        return lot.units - lot.used
    return int(lot.is_open and (lot.net > lot.net_recognised or lot.vat > lot.vat_gone))


def slice_of(lot: Lot, cups: int) -> Slice:
    """What the next `cups` cups of a lot carry (`ledger.policy.carried`), net and VAT alike.

    A lot that earns by the day has none, and is taken whole: all that its days have not earned.
    """
    if not lot.units:
        return Slice(0, lot.net - lot.net_recognised, lot.vat - lot.vat_gone)
    net = carried(
        net=lot.net,
        units=lot.units,
        used=lot.used,
        net_recognised=lot.net_recognised,
        cups=cups,
    )
    vat = carried(
        net=lot.vat, units=lot.units, used=lot.used, net_recognised=lot.vat_gone, cups=cups
    )
    return Slice(cups, net, vat)


def take_out(lot: Lot, cups: int) -> Slice:
    """Let cups leave a lot, under its wallet's lock; answer what goes with them."""
    leaving = slice_of(lot, cups)
    lot.used += leaving.cups
    lot.net_recognised += leaving.net
    lot.vat_gone += leaving.vat
    lot.is_open = lot.used < lot.units  # nothing is left of what is taken whole
    return leaving


def put_back(lot: Lot, back: Slice) -> None:
    """Let cups come back into the lot they left, exactly as they went, under its wallet's lock.

    A lot whose end is over is due again: what came back ends as its cups did.
    """
    lot.used -= back.cups
    lot.net_recognised -= back.net
    lot.vat_gone -= back.vat
    lot.is_open = True
    if lot.due_at is None and lot.expiry_mode in ("lapse", "refund"):
        lot.due_at = lot.ends_at
