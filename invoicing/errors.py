"""What the room refuses."""

from kernel.errors import Conflict, Invalid, refuse_on


class BuyerInvalid(Invalid):
    """Not a buyer that an invoice can name. Facts: `field`, or `several` when more than one is."""

    code = "buyer-invalid"


class RangeInvalid(Invalid):
    """Not a range that the tax office assigns. Facts: `field`, what of it is wrong."""

    code = "invoice-range-invalid"


class RangeOverlaps(Conflict):
    """Some of these numbers are in another range of the same two months."""

    code = "invoice-range-overlaps"


class OutOfNumbers(Exception):  # noqa: N818  names the state
    """The seller has no number left for the two months; the message says who, and which."""


refuse_on("ex_invoice_range_overlap", RangeOverlaps)
