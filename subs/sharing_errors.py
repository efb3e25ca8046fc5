"""What is refused where a plan is shared."""

from kernel.errors import Conflict


class PlanNotShared(Conflict):
    """The plan is for one member only."""

    code = "plan-not-shared"


class NoPlaceLeft(Conflict):
    """All places of the plan are taken, or offered to somebody. Facts: `places`."""

    code = "no-place-left"


class InvitationLimit(Conflict):
    """So many places of one plan were offered within a day. Facts: `most`."""

    code = "invitation-limit"


class InvitationOver(Conflict):
    """Somebody else has taken the place, its owner took it back, or its time is over."""

    code = "invitation-over"


class OwnPlan(Conflict):
    """Who owns a plan takes no place in it."""

    code = "own-plan"


class AlreadySharing(Conflict):
    """The member has a place in this plan."""

    code = "already-sharing"
