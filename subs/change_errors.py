"""What is refused of changes of plan."""

from kernel.errors import Conflict


class SamePlan(Conflict):
    """The subscription is on these terms already."""

    code = "same-plan"


class PlanEnds(Conflict):
    """The subscription was cancelled and ends with its period: nothing changes, and none rests."""

    code = "plan-ends"


class ChangeNotOffered(Conflict):
    """Nobody changes between these plans: they are of other currencies, or under other laws."""

    code = "change-not-offered"


class ChangeNotNow(Conflict):
    """Only within a period that is paid a plan is changed at once; this one is `state`."""

    code = "change-not-now"


class ChangeOnlyAtEnd(Conflict):
    """A change between these plans takes effect at the end of the period.

    `why`: `interval` (they renew at other intervals), `tax` (they are taxed otherwise), `grants`
    (their cups are granted several times in a period), `prepaid` (somebody has paid for the period
    before), `disputed` (a bank holds its money), `no_cups` (no cup would be left of it for its
    money), or `last_day` (it is the last one of the period).
    """

    code = "change-only-at-end"


class ChangeNeedsCard(Conflict):
    """The change costs something now, and there is no card to charge."""

    code = "change-needs-card"


class NoChangeAsked(Conflict):
    """There is no change of plan to withdraw."""

    code = "no-change-asked"
