"""What is refused when an offer is made, approved or ended."""

from kernel.errors import Conflict, Invalid, refuse_on
from ledger.errors import TwoPeople

__all__ = [
    "NothingSold",
    "OfferCurrency",
    "OfferExists",
    "SaleEndsEarlier",
    "TwoPeople",
    "Unlawful",
    "VersionDecided",
    "VersionNotApproved",
    "VersionOutdated",
]


class Unlawful(Invalid):
    """The law of the seller does not allow such an offer.

    Facts: `jurisdiction`, `breaches` (codes), and `rules`: of each its `code`, the `term` and what
    was `given`, what is `allowed`, and the `law`.
    """

    code = "unlawful-offer"


class NothingSold(Invalid):
    """A pack is cups for money: its price is above zero, and so are its cups, which are counted.

    Only a plan may cost nothing, or give no cups. Facts: `terms`, the names of what is wrong.
    """

    code = "nothing-sold"


class OfferExists(Conflict):
    """There is an offer of that code: propose a further version of it."""

    code = "offer-exists"


class OfferCurrency(Invalid):
    """An offer is priced in one currency, for good. Facts: `currency`, that of its versions."""

    code = "offer-currency"


class VersionDecided(Conflict):
    """The version was approved or rejected before."""

    code = "version-decided"


class VersionOutdated(Conflict):
    """A later version is approved: this one would never be sold. Facts: `latest`."""

    code = "version-outdated"


class VersionNotApproved(Conflict):
    """The version is not on sale: nobody has approved it."""

    code = "version-not-approved"


class SaleEndsEarlier(Conflict):
    """Its sale ends before that, and is not prolonged: propose a version. Facts: `sale_ends_at`."""

    code = "sale-ends-earlier"


refuse_on("ck_offer_version_two_people_agree", TwoPeople)
