"""What the books refuse."""

from kernel.errors import Conflict, Invalid, refuse_on


class AlreadyReversed(Conflict):
    """The entry was undone before; a second time would undo it twice."""

    code = "already-reversed"


class PeriodClosed(Conflict):
    """The month is closed, or soft and the posting is not finance's own."""

    code = "period-closed"


class PeriodInvalid(Invalid):
    """A period is a month, `2026-01`, that has begun."""

    code = "period-invalid"


class AccountUnknown(Invalid):
    """The chart has no such account."""

    code = "account-unknown"


class AccountExists(Conflict):
    """The chart has an account of that code."""

    code = "account-exists"


class PeriodNotOver(Conflict):
    """The month is not over everywhere yet. Facts: `period`."""

    code = "period-not-over"


class PeriodOrder(Conflict):
    """Months are closed one after the other. Facts: `next`, the month whose turn it is."""

    code = "period-out-of-order"


class PeriodState(Conflict):
    """The month is not in a state for that. Facts: `state`, and the `version` of it."""

    code = "period-state"


class TwoPeople(Conflict):
    """Who proposed it cannot approve it too."""

    code = "two-people"


class ReopeningOrder(Conflict):
    """A later month is closed too. Facts: `latest`, the one that can be reopened."""

    code = "reopening-out-of-order"


class ReopeningExists(Conflict):
    """It was proposed already to reopen this version of the month."""

    code = "reopening-exists"


class ReopeningEnded(Conflict):
    """It was approved before, or the month has changed since."""

    code = "reopening-ended"


class AdjustmentUnbalanced(Invalid):
    """Debits and credits differ. Facts: `differences`, by store, debits less credits."""

    code = "adjustment-unbalanced"


class AdjustmentUnpaired(Invalid):
    """Its debits and credits cannot be paired. Facts: `store_id`, `account`.

    A line has one counterpart and two accounts: what moves between two counterparts, or within an
    account, goes through a third account.
    """

    code = "adjustment-unpaired"


class AdjustmentOneSided(Invalid):
    """A debt between stores changes in one book only. Facts: `differences`, by pair of stores."""

    code = "adjustment-one-sided"


class CounterpartMissing(Invalid):
    """A leg on a debt between stores must say which other store. Facts: `store_id`, `account`."""

    code = "counterpart-missing"


class AccountNotAdjustable(Invalid):
    """The account follows the cups, so that only verbs move it.

    Facts: `account`, and what moves it `instead`: "cups", or an "estimate" of breakage.
    """

    code = "account-not-adjustable"


class CurrencyUnknown(Invalid):
    """Nothing is booked in it. Facts: `currency`, and `currencies`, in which something is."""

    code = "currency-unknown"


class AdjustmentEnded(Conflict):
    """It was approved or rejected before."""

    code = "adjustment-ended"


class SettlementExceedsDebt(Conflict):
    """A store cannot pay another more than it owes. Facts: `owed`, `currency`."""

    code = "settlement-exceeds-debt"


class EstimateInvalid(Invalid):
    """Only a proportional estimate has a rate, from 0 to 9999 hundredths of a percent."""

    code = "estimate-invalid"


refuse_on("pk_account", AccountExists)
refuse_on("uq_entry_reversed_once", AlreadyReversed)
refuse_on("ck_entry_period_open", PeriodClosed)
refuse_on("ck_reopening_two_people", TwoPeople)
refuse_on("ck_adjustment_two_people", TwoPeople)
refuse_on("uq_reopening_once_a_version", ReopeningExists)
refuse_on("ck_breakage_estimate_rate_is_proportional", EstimateInvalid)
refuse_on("ck_breakage_estimate_rate_sane", EstimateInvalid)
refuse_on("ck_breakage_estimate_method_known", EstimateInvalid)
