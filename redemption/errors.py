"""What a till may be told instead of handing over cups. `REASONS` finds a refusal by its code."""

from kernel.errors import Conflict, Forbidden, Invalid, Refusal, refuse_on


class TokenInvalid(Invalid):
    """No code of ours: garbage, a bad MAC, unknown, revoked, or from the future. All look alike."""

    code = "token-invalid"


class TokenExpired(Invalid):
    """The code is older than a minute: the shopper's app shows a newer one."""

    code = "token-expired"


class TokenUsed(Conflict):
    """The code has handed over cups before."""

    code = "token-used"


class InsufficientCups(Conflict):
    """Fewer cups are held than asked for. Facts: `held`, `wanted`.

    And `next_at`, where a plan gives more by itself: when its next period begins, if it is paid, or
    further cups of this one come.
    """

    code = "insufficient-cups"


class ProductMismatch(Conflict):
    """Nothing held may be exchanged for this product."""

    code = "product-mismatch"


class CoversLess(Conflict):
    """The drink is dearer than what is held covers, and may not be topped up.

    Facts: `covers` (the list price up to which a cup is good), `list_price`, `currency`.
    """

    code = "covers-less"


class ChannelNotAccepted(Conflict):
    """What is held is not accepted through this channel. Facts: `channel`, `accepted` channels."""

    code = "channel-not-accepted"


class TopUpDue(Conflict):
    """The till collected another amount than the drink costs besides the cups.

    Facts: `due` and `collected`, in minor units of `currency`. The right amount is a new scan,
    under a new key.
    """

    code = "top-up-due"


class StoreNotAccepted(Conflict):
    """What is held is not accepted at this store."""

    code = "store-not-accepted"


class LotFrozen(Conflict):
    """What is held is frozen while a payment is disputed."""

    code = "lot-frozen"


class WalletBlocked(Conflict):
    """The member or the chain has blocked this wallet."""

    code = "wallet-blocked"


class LimitReached(Conflict):
    """A limit of the terms. Facts: `limit` (which), `allowed` cups now, `next_at` when more are."""

    code = "limit-reached"


class ApprovalNeeded(Conflict):
    """The member has to approve this in their app. Facts: `wanted`, `free` cups without it."""

    code = "approval-needed"


class OwnWallet(Forbidden):
    """Staff neither redeem from their own wallet nor undo what was collected from it."""

    code = "own-wallet"


class UnknownProduct(Invalid):
    """The chain sells no such product."""

    code = "unknown-product"


class AlreadyVoided(Conflict):
    """The redemption was undone before."""

    code = "already-voided"


class NotSoManyTaken(Conflict):
    """Fewer cups of a drink can be undone than asked for. Facts: `taken` (still), `wanted`."""

    code = "not-so-many-taken"


class VoidTooLate(Conflict):
    """The role's time for undoing is over. Facts: `ended_at`."""

    code = "void-too-late"


class LateVoidWaits(Conflict):
    """Another request to undo this redemption waits for its decision."""

    code = "late-void-waits"


class LateVoidDecided(Conflict):
    """The request was approved or rejected before."""

    code = "late-void-decided"


refuse_on("uq_late_void_open", LateVoidWaits)

REASONS: dict[str, type[Refusal]] = {
    kind.code: kind
    for kind in (
        TokenUsed,
        InsufficientCups,
        ProductMismatch,
        CoversLess,
        ChannelNotAccepted,
        StoreNotAccepted,
        LotFrozen,
        WalletBlocked,
        LimitReached,
        ApprovalNeeded,
        TopUpDue,
    )
}
