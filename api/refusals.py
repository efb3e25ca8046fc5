"""What the frame itself refuses, before the business is asked."""

from kernel.errors import Conflict, Forbidden, Invalid


class CrossSite(Forbidden):
    """A cookie session's request from a foreign page, or without its CSRF token."""

    code = "csrf"


class MalformedJson(Invalid):
    """The body is not JSON as RFC 8259 and this interface understand it."""

    code = "malformed-json"


class UnsupportedMediaType(Invalid):
    """The body says that it is something else than JSON."""

    code = "unsupported-media-type"


class BodyTooLarge(Invalid):
    """The body has more bytes than this route reads."""

    code = "body-too-large"


class AddressTooLong(Invalid):
    """The request's address has more than 4 KB."""

    code = "address-too-long"


class HeadersTooLarge(Invalid):
    """The request's headers have more than 8 KB together."""

    code = "headers-too-large"


class BadRequest(Invalid):
    """Something else about the HTTP of a request."""

    code = "bad-request"


class WrongMethod(Invalid):
    """The path is there, this method is not."""

    code = "method-not-allowed"


class KeyMissing(Invalid):
    """What moves cups or money came without an Idempotency-Key."""

    code = "idempotency-key-missing"


class KeyMalformed(Invalid):
    """The Idempotency-Key is not 16 to 64 letters, digits, - and _, or came twice."""

    code = "idempotency-key-malformed"


class Validation(Invalid):
    """Fields that are missing, unknown or wrong. `errors` lists field and message."""

    code = "validation"


class RangeTooWide(Invalid):
    """More days or months than one answer covers. Facts: `asked`, `most`, `unit`."""

    code = "range-too-wide"


class UploadsBusy(Conflict):
    """As many uploads of tills wait as a process takes beside scans; nothing was done."""

    code = "uploads-busy"


class OutOfService(Conflict):
    """The database cannot be reached or cannot write now; what was asked did not happen."""

    code = "unavailable"


class OurFault(Conflict):
    """A bug of ours; it is in the log under `request_id`."""

    code = "internal-error"
