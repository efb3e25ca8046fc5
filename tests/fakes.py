"""A payment provider in memory, as honest about idempotency keys as the real one.

Cards behave by name, as the provider's own test cards do (`CARDS`). Every call can be made to
fail before it has an effect, or after it.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from kernel import clock
from kernel.ids import new_id
from payments import gateway, policy
from payments.errors import NoAnswer, UnknownToProvider
from payments.gateway import (
    Charge,
    Intent,
    Page,
    Repay,
    SeenCard,
    SeenDispute,
    SeenPayout,
    SeenRepayment,
    SeenTransaction,
    Setup,
)

Seen = TypeVar("Seen", SeenTransaction, SeenPayout, Intent, SeenRepayment, SeenDispute)

GOOD = "pm_card_visa"
DECLINED = "pm_card_chargeDeclined"
LOST = "pm_card_chargeDeclinedLostCard"
DECLINED_LATER = "pm_card_chargeCustomerFail"
WANTS_HOLDER = "pm_card_authenticationRequired"
SLOW = "pm_card_processing"

_DECLINES = {
    DECLINED: "generic_decline",
    LOST: "lost_card",
    DECLINED_LATER: "generic_decline",
}
_SAVED_AS = "pm_saved_"


class Crash(BaseException):
    """The process dies here. Not an Exception, so that nothing of ours can catch it."""


@dataclass
class FakeGateway:
    """Knows customers, intents, and whose money has moved (`taken`: payment ids, in order).

    Its balance moves with every charge (`transactions`, the oldest first), at a fee of 3 %, and
    with every repayment (`given_back`: repayment ids, in order). `made_at` says when anything was.
    """

    customers: dict[UUID, str] = field(default_factory=dict)
    intents: dict[str, Intent] = field(default_factory=dict)
    taken: list[UUID] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    transactions: list[SeenTransaction] = field(default_factory=list)
    payouts: list[SeenPayout] = field(default_factory=list)
    paid_out: dict[str, list[SeenTransaction]] = field(default_factory=dict)
    repayments: dict[str, SeenRepayment] = field(default_factory=dict)
    given_back: list[UUID] = field(default_factory=list)
    disputes: dict[str, SeenDispute] = field(default_factory=dict)
    made_at: dict[str, datetime] = field(default_factory=dict)
    repays_slowly: bool = False
    page_size: int = 100
    is_silent: bool = False
    _asked: dict[UUID, tuple[Charge, Intent]] = field(default_factory=dict)
    _asked_back: dict[UUID, tuple[Repay, SeenRepayment]] = field(default_factory=dict)
    _of_customer: dict[str, list[str]] = field(default_factory=dict)
    _faults: list[tuple[str, str, BaseException]] = field(default_factory=list)
    _one_at_a_time: threading.RLock = field(default_factory=threading.RLock)

    def fail(self, call: str, when: str, error: BaseException | None = None) -> None:
        """Fail the next such call, `before` or `after` its effect: with silence, or as given."""
        self._faults.append((call, when, error or NoAnswer()))

    def authenticate(self, ref: str) -> None:
        """The cardholder does what was asked of them."""
        self._take(ref)

    def refuse_authentication(self, ref: str) -> None:
        """The cardholder fails to."""
        failure = "payment_intent_authentication_failure"
        self._change(ref, status="failed", failure=failure, client_secret=None)

    def finish(self, ref: str) -> None:
        """What was processing is done."""
        self._take(ref)

    def pay_in_form(self, ref: str, card: str = GOOD) -> None:
        """The payer fills in the provider's own form with a good card."""
        self._take(ref)
        with self._one_at_a_time:
            self.intents[ref] = replace(self.intents[ref], card=_card(card))

    def decline_in_form(self, ref: str) -> None:
        """The payer fills in the form with a card that is refused; the form stays open."""
        self._change(ref, status="failed", failure="generic_decline")

    def finish_repayment(self, ref: str, failure: str | None = None) -> None:
        """The bank has done its part, or sends the money back, also long after."""
        with self._one_at_a_time:
            status = "failed" if failure else "succeeded"
            changed = replace(self.repayments[ref], status=status, failure=failure)  # type: ignore[arg-type]
            self.repayments[ref] = changed

    def repay_by_hand(self, payment_ref: str, amount: int) -> SeenRepayment:
        """Somebody gives money back in the provider's own pages."""
        ref = f"re_{new_id().hex}"
        seen = SeenRepayment(ref, "succeeded", None, payment_ref, amount, "TWD")
        self.repayments[ref] = seen
        self.made_at[ref] = clock.now()
        return seen

    def dispute(self, payment_ref: str | None, **facts: Any) -> SeenDispute:
        """The holder's bank takes a payment back; or changes a dispute, by its `ref`."""
        ref = facts.pop("ref", None) or f"dp_{new_id().hex}"
        at = self.made_at.setdefault(ref, clock.now())
        amount = self.intents[payment_ref].amount if payment_ref in self.intents else 100
        seen = SeenDispute(
            ref=ref, status="open", payment_ref=payment_ref, amount=amount, currency="TWD",
            reason="fraudulent", opened_at=at.replace(microsecond=0),
        )  # fmt: skip
        self.disputes[ref] = replace(seen, **facts)
        return self.disputes[ref]

    def move(self, **facts: Any) -> SeenTransaction:
        """Move the balance: by a charge of NT$100 that nobody knows, but for what is said."""
        at = clock.now().replace(microsecond=0)
        ref = f"txn_{new_id().hex}"
        amount = facts.pop("amount_minor", 10_000)
        fee = facts.pop("fee_minor", 0)
        seen = SeenTransaction(
            ref=ref, kind="charge", type="charge", source_ref=f"ch_{ref}", payment_ref=f"pi_{ref}",
            amount_minor=amount, fee_minor=fee, net_minor=amount - fee, currency="TWD",
            charged_minor=amount, charged_currency="TWD",
            created_at=at, available_at=at + timedelta(days=2),
        )  # fmt: skip
        self.transactions.append(replace(seen, **facts))
        return self.transactions[-1]

    def pay_out(self, **facts: Any) -> SeenPayout:
        """Send everything that is there to the bank, in whole dollars."""
        gone = {one.ref for items in self.paid_out.values() for one in items}
        items = [one for one in self.transactions if one.ref not in gone and one.kind != "payout"]
        left = sum(one.net_minor for one in self.transactions)
        at = clock.now().replace(microsecond=0)
        payout = SeenPayout(
            ref=f"po_{new_id().hex}", status="in_transit", amount_minor=left - left % 100,
            currency="TWD", is_automatic=True, is_itemised=True, failure=None,
            created_at=at, arrives_at=at + timedelta(days=1),
        )  # fmt: skip
        payout = replace(payout, **facts)
        self.payouts.append(payout)
        self.paid_out[payout.ref] = items
        self.move(
            kind="payout", type="payout", source_ref=payout.ref, payment_ref=None,
            amount_minor=-payout.amount_minor,
        )  # fmt: skip
        return payout

    # What follows is the protocol.

    def make_customer(self, *, member_id: UUID) -> str:
        with self._calling("make_customer"):
            return self.customers.setdefault(member_id, f"cus_{member_id.hex}")

    def charge(self, asked: Charge) -> Intent:
        with self._calling("charge"):
            known = self._asked.get(asked.payment_id)
            if known is not None:
                if known[0] != asked:
                    raise RuntimeError("the key came before with another request")
                return known[1]
            intent = self._new(asked)
            if intent.status == "succeeded":
                self._move_for(intent)
                self.taken.append(asked.payment_id)
            self._asked[asked.payment_id] = asked, intent
            return intent

    def get_intent(self, ref: str) -> Intent:
        with self._calling("get_intent"):
            return _known(self.intents, ref)

    def find_intent(
        self, *, payment_id: UUID, customer_ref: str | None, since: datetime
    ) -> Intent | None:
        del since
        with self._calling("find_intent"):
            theirs = [self.intents[ref] for ref in self._of_customer.get(str(customer_ref), [])]
            return next((one for one in theirs if one.payment_id == payment_id), None)

    def cancel(self, ref: str) -> Intent:
        with self._calling("cancel"):
            if self.intents[ref].status in ("intent", "requires_action", "failed"):
                self._change(ref, status="cancelled", client_secret=None)
            return self.intents[ref]

    def repay(self, asked: Repay) -> SeenRepayment:
        with self._calling("repay"):
            known = self._asked_back.get(asked.repayment_id)
            if known is not None:
                if known[0] != asked:
                    raise RuntimeError("the key came before with another request")
                return known[1]
            seen = self._give_back(asked)
            self._asked_back[asked.repayment_id] = asked, seen
            return seen

    def get_repayment(self, ref: str) -> SeenRepayment:
        with self._calling("get_repayment"):
            return _known(self.repayments, ref)

    def find_repayment(self, *, repayment_id: UUID, payment_ref: str) -> SeenRepayment | None:
        with self._calling("find_repayment"):
            theirs = [one for one in self.repayments.values() if one.payment_ref == payment_ref]
            return next((one for one in theirs if one.repayment_id == repayment_id), None)

    def list_of_charge(self, charge_ref: str) -> list[SeenRepayment]:
        """Charges are named after their payments here: `ch_` and the payment's reference."""
        with self._calling("list_of_charge"):
            paid = charge_ref.removeprefix("ch_")
            return [one for one in self.repayments.values() if one.payment_ref == paid]

    def get_dispute(self, ref: str) -> SeenDispute:
        with self._calling("get_dispute"):
            return _known(self.disputes, ref)

    def list_payments(self, *, since: datetime, until: datetime, after: str | None) -> Page[Intent]:
        with self._calling("list_payments"):
            return self._made(self.intents, since, until, after)

    def list_repayments(
        self, *, since: datetime, until: datetime, after: str | None
    ) -> Page[SeenRepayment]:
        with self._calling("list_repayments"):
            return self._made(self.repayments, since, until, after)

    def list_disputes(
        self, *, since: datetime, until: datetime, after: str | None
    ) -> Page[SeenDispute]:
        with self._calling("list_disputes"):
            return self._made(self.disputes, since, until, after)

    def set_up_card(self, *, customer_ref: str, method_ref: str) -> Setup:
        with self._calling("set_up_card"):
            if method_ref == WANTS_HOLDER:
                return Setup("requires_action", customer_ref, client_secret="seti_secret")
            if method_ref in _DECLINES and method_ref != DECLINED_LATER:
                return Setup("failed", customer_ref, failure=_DECLINES[method_ref])
            return Setup("succeeded", customer_ref, card=_card(method_ref))

    def get_setup(self, ref: str) -> Setup:
        with self._calling("get_setup"):
            customer_ref = ref.removeprefix("seti_")
            return Setup("succeeded", customer_ref, card=_card(GOOD))

    def list_balance_transactions(
        self, *, since: datetime, until: datetime, after: str | None
    ) -> Page[SeenTransaction]:
        with self._calling("list_balance_transactions"):
            shown = [one for one in self.transactions if since <= one.created_at < until]
            return self._page(shown, after)

    def list_payouts(
        self, *, since: datetime, until: datetime, after: str | None
    ) -> Page[SeenPayout]:
        with self._calling("list_payouts"):
            shown = [one for one in self.payouts if since <= one.created_at < until]
            return self._page(shown, after)

    def list_paid_out(self, *, payout_ref: str, after: str | None) -> Page[SeenTransaction]:
        with self._calling("list_paid_out"):
            return self._page(self.paid_out[payout_ref], after)

    def _page(self, shown: list[Seen], after: str | None) -> Page[Seen]:
        """The newest first. A place that is not there is refused, as the real one does."""
        newest = sorted(shown, key=lambda one: (self._when(one), one.ref), reverse=True)
        start = [one.ref for one in newest].index(after) + 1 if after else 0
        items = tuple(newest[start : start + self.page_size])
        has_more = start + len(items) < len(newest)
        return Page(items, items[-1].ref if has_more else None)

    def _made(
        self, of: dict[str, Seen], since: datetime, until: datetime, after: str | None
    ) -> Page[Seen]:
        shown = [one for ref, one in of.items() if since <= self.made_at.get(ref, since) < until]
        return self._page(shown, after)

    def _when(self, one: Any) -> datetime:
        return self.made_at.get(one.ref) or one.created_at

    def _give_back(self, asked: Repay) -> SeenRepayment:
        paid = self.intents[asked.payment_ref]
        theirs = [one for one in self.repayments.values() if one.payment_ref == asked.payment_ref]
        gone = sum(one.amount for one in theirs if one.status != "failed")
        seen = SeenRepayment(
            None, "failed", asked.repayment_id, asked.payment_ref, asked.amount, asked.currency,
            "charge_already_refunded",
        )  # fmt: skip
        if paid.status != "succeeded" or gone + asked.amount > paid.amount:
            return seen
        ref = f"re_{new_id().hex}"
        status = "processing" if self.repays_slowly else "succeeded"
        seen = replace(seen, ref=ref, status=status, failure=None)  # type: ignore[arg-type]
        self.repayments[ref] = seen
        self.made_at[ref] = clock.now()
        self.given_back.append(asked.repayment_id)
        minor = policy.at_provider(asked.amount, asked.currency)
        self.move(
            kind="refund", type="refund", source_ref=ref, payment_ref=asked.payment_ref,
            amount_minor=-minor, currency=asked.currency, charged_currency=asked.currency,
        )  # fmt: skip
        return seen

    def _new(self, asked: Charge) -> Intent:
        ref = f"pi_{new_id().hex}"
        intent = Intent(
            ref, "succeeded", asked.payment_id, asked.amount, asked.currency,
            card=_card(asked.method_ref) if asked.method_ref and asked.keeps_card else None,
        )  # fmt: skip
        method = (asked.method_ref or "").removeprefix(_SAVED_AS)
        if asked.method_ref is None:
            intent = replace(intent, status="intent", client_secret=f"{ref}_secret")
        elif method in _DECLINES:
            intent = replace(intent, status="failed", failure=_DECLINES[method], card=None)
        elif method == WANTS_HOLDER:
            failure = "authentication_required" if asked.is_off_session else None
            intent = replace(
                intent, status="requires_action", client_secret=f"{ref}_secret", failure=failure
            )
        elif method == SLOW:
            intent = replace(intent, status="processing")
        self.intents[ref] = intent
        self.made_at[ref] = clock.now()
        self._of_customer.setdefault(str(asked.customer_ref), []).append(ref)
        return intent

    def _take(self, ref: str) -> None:
        with self._one_at_a_time:
            payment_id = self.intents[ref].payment_id
            assert payment_id is not None
            self._move_for(self.intents[ref])
            self.taken.append(payment_id)
            self._change(ref, status="succeeded", failure=None, client_secret=None)

    def _move_for(self, intent: Intent) -> None:
        charged = policy.at_provider(intent.amount, intent.currency)
        self.move(
            payment_ref=intent.ref, amount_minor=charged, fee_minor=charged * 3 // 100,
            currency=intent.currency, charged_currency=intent.currency,
        )  # fmt: skip

    def _change(self, ref: str, **to: str | None) -> None:
        with self._one_at_a_time:
            self.intents[ref] = replace(self.intents[ref], **to)  # type: ignore[arg-type]

    @contextmanager
    def _calling(self, call: str) -> Iterator[None]:
        with self._one_at_a_time:
            self.calls.append(call)
            if self.is_silent:
                raise NoAnswer
            self._strike(call, "before")
            yield
            self._strike(call, "after")

    def _strike(self, call: str, when: str) -> None:
        for fault in self._faults:
            if fault[:2] == (call, when):
                self._faults.remove(fault)
                raise fault[2]


@contextmanager
def fake_provider() -> Iterator[FakeGateway]:
    """Put a fresh fake in the provider's place."""
    fake = FakeGateway()
    with gateway.use(fake):
        yield fake


def _known(of: dict[str, Seen], ref: str) -> Seen:
    if ref not in of:
        raise UnknownToProvider
    return of[ref]


def _card(method_ref: str) -> SeenCard:
    """A saved card has a reference of its own, and behaves as the one it was made from."""
    ref = method_ref if method_ref.startswith(_SAVED_AS) else f"{_SAVED_AS}{method_ref}"
    return SeenCard(ref, "visa", "4242")
