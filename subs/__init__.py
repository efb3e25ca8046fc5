"""Plans, subscriptions, their periods, renewal, dunning and renewal statistics."""

from subs.errors import (
    CardInUse,
    NotPaused,
    PauseBegun,
    PauseDays,
    PauseNotNow,
    PauseNotOffered,
    RenewalUnderWay,
    SubscriptionEnded,
)
from subs.over import ended_plans
from subs.prepaid_errors import NothingPrepaid
from subs.queries import (
    Standing,
    get_standing,
    list_history,
    list_standings,
)
from subs.reasons import CANCEL_REASONS
from subs.service.cancel import cancel, keep
from subs.service.card import change_card
from subs.service.forget_card import forget_card
from subs.service.pause import pause, resume, withdraw_pause
from subs.service.sharing import invite, join, leave, lock_place, remove
from subs.service.start_prepaid import start_prepaid
from subs.sharing_errors import (
    AlreadySharing,
    InvitationLimit,
    InvitationOver,
    NoPlaceLeft,
    OwnPlan,
    PlanNotShared,
)
from subs.sharing_queries import (
    Invited,
    Place,
    Places,
    SharedPlan,
    get_shared_plan,
    list_places,
    list_shared_plans,
    place_of,
    see_invitation,
)

__all__ = [
    "CANCEL_REASONS",
    "AlreadySharing",
    "CardInUse",
    "InvitationLimit",
    "InvitationOver",
    "Invited",
    "NoPlaceLeft",
    "NotPaused",
    "NothingPrepaid",
    "OwnPlan",
    "PauseBegun",
    "PauseDays",
    "PauseNotNow",
    "PauseNotOffered",
    "Place",
    "Places",
    "PlanNotShared",
    "RenewalUnderWay",
    "SharedPlan",
    "Standing",
    "SubscriptionEnded",
    "cancel",
    "change_card",
    "ended_plans",
    "forget_card",
    "get_shared_plan",
    "get_standing",
    "invite",
    "join",
    "keep",
    "leave",
    "list_history",
    "list_places",
    "list_shared_plans",
    "list_standings",
    "lock_place",
    "pause",
    "place_of",
    "remove",
    "resume",
    "see_invitation",
    "start_prepaid",
    "withdraw_pause",
]
