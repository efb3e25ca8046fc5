"""What is refused where a plan is to begin with what was paid before."""

from kernel.errors import Conflict


class NothingPrepaid(Conflict):
    """The member holds no prepaid period of the plan that could be used now. Facts: `offer_id`."""

    code = "nothing-prepaid"
