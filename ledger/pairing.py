"""An adjustment as accountants write it, made into lines of the books. Pure rules."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from ledger.errors import (
    AccountNotAdjustable,
    AdjustmentOneSided,
    AdjustmentUnbalanced,
    AdjustmentUnpaired,
    CounterpartMissing,
)
from ledger.policy import (
    BREAKAGE_CONTRA,
    CONTRACT_LIABILITIES,
    DISPUTED,
    DUE_FROM_STORE,
    DUE_TO_STORE,
    REFUND_PAYABLE,
    Pair,
)

_BETWEEN_STORES = (DUE_FROM_STORE, DUE_TO_STORE)
_INSTEAD = {
    **dict.fromkeys(CONTRACT_LIABILITIES, "cups"),
    BREAKAGE_CONTRA: "estimate",
    REFUND_PAYABLE: "refunds",
    DISPUTED: "disputes",
}


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of an adjustment in one store's book. `amount` is positive."""

    store_id: UUID
    account: str
    side: Literal["debit", "credit"]
    amount: int
    counterpart_store_id: UUID | None = None
    offer_id: UUID | None = None

    @property
    def signed(self) -> int:
        """Debits positive, credits negative."""
        return self.amount if self.side == "debit" else -self.amount


def paired(legs: Sequence[Leg]) -> list[Pair]:
    """Match the debits of each store with its credits, each with the first that fits.

    What is owed to shoppers is the sum of what their lots hold, and what one store owes another is
    what the other has to get: no adjustment may part them.

    Raises:
        AccountNotAdjustable: a leg is on an account that rows of their own explain: cups, refunds,
            disputes, estimates of breakage.
        CounterpartMissing: a leg between stores does not say which other store; or one says that
            it is its own.
        AdjustmentUnbalanced: a store's debits are not its credits, or there are none.
        AdjustmentOneSided: a debt between stores changes in one of the two books only.
        AdjustmentUnpaired: no pairs can be made of it.
    """
    for leg in legs:
        _check_leg(leg)
    if not legs:
        raise AdjustmentUnbalanced(differences=[])
    _check_balance(legs)
    _check_mirrors(legs)
    by_store: dict[UUID, list[Leg]] = defaultdict(list)
    for leg in legs:
        by_store[leg.store_id].append(leg)
    return [pair for mine in by_store.values() for pair in _pairs(mine)]


def _check_leg(leg: Leg) -> None:
    if leg.account in _INSTEAD:
        raise AccountNotAdjustable(account=leg.account, instead=_INSTEAD[leg.account])
    is_missing = leg.account in _BETWEEN_STORES and leg.counterpart_store_id is None
    if is_missing or leg.counterpart_store_id == leg.store_id:
        raise CounterpartMissing(store_id=str(leg.store_id), account=leg.account)


def _check_balance(legs: Iterable[Leg]) -> None:
    sums: dict[UUID, int] = defaultdict(int)
    for leg in legs:
        sums[leg.store_id] += leg.signed
    if any(sums.values()):
        raise AdjustmentUnbalanced(
            differences=[
                {"store_id": str(store_id), "difference": off}
                for store_id, off in sums.items()
                if off
            ]
        )


def _check_mirrors(legs: Iterable[Leg]) -> None:
    """What A owes B in A's book must change as what B gets from A in B's."""
    sums: dict[tuple[UUID, UUID], int] = defaultdict(int)
    for leg in legs:
        if leg.counterpart_store_id is None:
            continue
        if leg.account == DUE_TO_STORE:
            sums[leg.store_id, leg.counterpart_store_id] += leg.signed
        elif leg.account == DUE_FROM_STORE:
            sums[leg.counterpart_store_id, leg.store_id] += leg.signed
    if any(sums.values()):
        raise AdjustmentOneSided(
            differences=[
                {"owing_id": str(owing), "owed_id": str(owed), "difference": off}
                for (owing, owed), off in sums.items()
                if off
            ]
        )


def _pairs(legs: Iterable[Leg]) -> Iterable[Pair]:
    """Those between stores choose first, since they fit fewer."""
    legs = sorted(legs, key=lambda leg: leg.account not in _BETWEEN_STORES)
    credits_left = [leg for leg in legs if leg.side == "credit"]
    for debit in (leg for leg in legs if leg.side == "debit"):
        left = debit
        while left.amount:
            at, credit = _first_fit(left, credits_left)
            amount = min(left.amount, credit.amount)
            yield _pair(left, credit, amount)
            left = replace(left, amount=left.amount - amount)
            credits_left[at] = replace(credit, amount=credit.amount - amount)


def _first_fit(debit: Leg, among: Sequence[Leg]) -> tuple[int, Leg]:
    for at, credit in enumerate(among):
        if credit.amount and _fit(debit, credit):
            return at, credit
    raise AdjustmentUnpaired(store_id=str(debit.store_id), account=debit.account)


def _fit(debit: Leg, credit: Leg) -> bool:
    """Whether one line can say both: it has two accounts, one counterpart and one offer."""
    return (
        debit.account != credit.account
        and _agree(debit.counterpart_store_id, credit.counterpart_store_id)
        and _agree(debit.offer_id, credit.offer_id)
    )


def _agree(one: UUID | None, other: UUID | None) -> bool:
    return one is None or other is None or one == other


def _pair(debit: Leg, credit: Leg, amount: int) -> Pair:
    return Pair(
        store_id=debit.store_id,
        debit=debit.account,
        credit=credit.account,
        amount=amount,
        counterpart_store_id=debit.counterpart_store_id or credit.counterpart_store_id,
        offer_id=debit.offer_id or credit.offer_id,
    )
