"""Which cups are handed over for several drinks at once. Pure.

What one drink leaves is what the next one finds, so the drinks are decided together: cups flow from
the offers (as many as their limits allow) through their lots to the drinks that these may be
exchanged for, and of all ways that serve everything the cheapest is taken. A cup that costs a
top-up is dearer than any that does not, and a cup of a lot that burns earlier is cheaper than all
of those that burn later. So for one drink it is what `policy.choose` takes.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from kernel.errors import Refusal
from redemption import policy
from redemption.errors import InsufficientCups
from redemption.policy import Allowance, Fitting, HeldLot, Taken, Wanted

_SOURCE, _SINK = 0, 1


class Asked(NamedTuple):
    """One drink of a scan, and the lots as this drink meets them."""

    wanted: Wanted
    lots: Sequence[HeldLot]


def choose_all(
    asked: Mapping[UUID, Asked], *, now: datetime, next_day_at: datetime
) -> dict[UUID, list[Taken]]:
    """Choose the cups for each drink, by its product.

    Limits count the drinks together.

    Raises:
        Refusal: as `policy.choose` for a drink by itself, with its `product_id`; without one for
            all of them together.
    """
    fitting = {}
    for product_id, one in asked.items():
        try:
            policy.choose(one.lots, wanted=one.wanted, now=now, next_day_at=next_day_at)
        except Refusal as refusal:
            refusal.facts["product_id"] = str(product_id)
            raise
        fitting[product_id] = policy.fit(one.lots, wanted=one.wanted, now=now)
    lots = _oldest_first(fitting.values())
    allowances = policy.allow(lots, now=now, next_day_at=next_day_at)
    wanted = {product_id: one.wanted.cups for product_id, one in asked.items()}
    shares = _share_out(fitting, wanted, lots, {of: one.cups for of, one in allowances.items()})
    served = sum(sum(cups.values()) for cups in shares.values())
    if served < sum(wanted.values()):
        raise _refusal(fitting, wanted, lots, allowances, served)
    return _taken(fitting, shares)


def _oldest_first(fitting: Iterable[Iterable[Fitting]]) -> list[HeldLot]:
    found = {one.lot.id: one for some in fitting for one in some}
    return [one.lot for one in sorted(found.values(), key=lambda one: one.age)]


def _refusal(
    fitting: Mapping[UUID, Sequence[Fitting]],
    wanted: Mapping[UUID, int],
    lots: Sequence[HeldLot],
    allowances: Mapping[UUID, Allowance],
    served: int,
) -> Refusal:
    """Name why each drink alone could be had, and all together not: by a limit, or for want."""
    total = sum(wanted.values())
    unlimited = _share_out(fitting, wanted, lots, dict.fromkeys(allowances, total))
    if sum(sum(cups.values()) for cups in unlimited.values()) < total:
        return InsufficientCups(held=served, wanted=total)
    return policy.limit_reached(allowances.values(), allowed=served, wanted=total)


def _taken(
    fitting: Mapping[UUID, Sequence[Fitting]], shares: Mapping[UUID, Mapping[UUID, int]]
) -> dict[UUID, list[Taken]]:
    """Take the shares, drink by drink: a lot that gave cups before is the less by them."""
    gone: dict[UUID, HeldLot] = {}
    taken: dict[UUID, list[Taken]] = {}
    for product_id, some in fitting.items():
        taken[product_id] = []
        for one in some:
            cups = shares[product_id].get(one.lot.id, 0)
            if not cups:
                continue
            lot = gone.get(one.lot.id, one.lot)
            pick = policy.take_from(replace(one, lot=lot), cups)
            taken[product_id].append(pick)
            gone[lot.id] = _after(lot, pick)
    return taken


def _after(lot: HeldLot, pick: Taken) -> HeldLot:
    if lot.is_unlimited:
        return lot
    return replace(
        lot,
        used=lot.used + pick.cups,
        net_recognised=lot.net_recognised + pick.amount,
        vat_gone=lot.vat_gone + pick.vat,
    )


def _share_out(
    fitting: Mapping[UUID, Sequence[Fitting]],
    wanted: Mapping[UUID, int],
    lots: Sequence[HeldLot],
    allowed: Mapping[UUID, int],
) -> dict[UUID, dict[UUID, int]]:
    """So many cups of each lot for each drink, as many as can be served, in the cheapest way."""
    total = sum(wanted.values())
    nodes = {of: number for number, of in enumerate((*allowed, *(lot.id for lot in lots)), 2)}
    drinks = {of: number for number, of in enumerate(wanted, 2 + len(nodes))}
    steps, top_up = total + 1, (total + 1) ** (len(lots) + 1)
    costs = {lot.id: -(steps ** (len(lots) - rank)) for rank, lot in enumerate(lots)}
    network = _Network()
    for offer_id, cups in allowed.items():
        network.join(_SOURCE, nodes[offer_id], cups)
    for lot in lots:
        network.join(nodes[lot.offer_id], nodes[lot.id], lot.left, costs[lot.id])
    pipes = {
        (product_id, one.lot.id): network.join(
            nodes[one.lot.id], drinks[product_id], total, top_up if one.each else 0
        )
        for product_id, some in fitting.items()
        for one in some
    }
    for product_id, cups in wanted.items():
        network.join(drinks[product_id], _SINK, cups)
    network.fill()
    shares: dict[UUID, dict[UUID, int]] = {product_id: {} for product_id in wanted}
    for (product_id, lot_id), pipe in pipes.items():
        shares[product_id][lot_id] = network.flow(pipe)
    return shares


@dataclass(slots=True)
class _Network:
    """Pipes from node to node, of a width and a cost. Each has its way back beside it."""

    ends: list[int] = field(default_factory=list)
    rooms: list[int] = field(default_factory=list)
    costs: list[int] = field(default_factory=list)
    leaving: dict[int, list[int]] = field(default_factory=dict)

    def join(self, start: int, end: int, width: int, cost: int = 0) -> int:
        """Lay a pipe and answer its number."""
        number = len(self.ends)
        self.ends += (end, start)
        self.rooms += (width, 0)
        self.costs += (cost, -cost)
        self.leaving.setdefault(start, []).append(number)
        self.leaving.setdefault(end, []).append(number + 1)
        return number

    def flow(self, pipe: int) -> int:
        return self.rooms[pipe + 1]

    def fill(self) -> None:
        """Let as much flow as can, at the least cost: by the cheapest path while there is one."""
        while path := self._cheapest():
            width = min(self.rooms[pipe] for pipe in path)
            for pipe in path:
                self.rooms[pipe] -= width
                self.rooms[pipe ^ 1] += width

    def _cheapest(self) -> list[int]:
        """The cheapest path with room from source to sink (Bellman and Ford), from its end."""
        costs, by, waiting = {_SOURCE: 0}, {}, deque([_SOURCE])
        while waiting:
            node = waiting.popleft()
            for pipe in self.leaving.get(node, ()):
                cost, end = costs[node] + self.costs[pipe], self.ends[pipe]
                if self.rooms[pipe] and (end not in costs or cost < costs[end]):
                    costs[end], by[end] = cost, pipe
                    waiting.append(end)
        path, node = [], _SINK
        while node in by:
            path.append(by[node])
            node = self.ends[by[node] ^ 1]
        return path
