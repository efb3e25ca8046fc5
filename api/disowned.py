"""“Not me”: a member says that somebody else has collected."""

from uuid import UUID

import redemption
from api.auth import MemberCaller, member
from api.routing import Resource
from kernel import clock
from kernel.errors import NotFound

collected = Resource(
    "collected", "/v1/wallet/redemptions", "Collected cups: what was handed over of one's own."
)


@collected.post("/<uuid:redemption_id>/disown", guard=member, status=204, refusals=(NotFound,))
def disown(*, caller: MemberCaller, redemption_id: UUID) -> None:
    """Say that it was not you who collected. Again is no harm, nor is it once it was undone.

    All that you show at tills is over at once: phones, codes, cards and capsules. Each phone asks
    for a credential anew. The store's manager sees the redemption marked; the cups stay gone until
    somebody undoes it.
    """
    redemption.disown(member_id=caller.member_id, redemption_id=redemption_id, now=clock.common())
