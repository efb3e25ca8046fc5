"""What members may be refused."""

from kernel.errors import Conflict, Invalid


class PhoneUnsupported(Invalid):
    """A number that no code is sent to: foreign, a landline, or none at all."""

    code = "phone-unsupported"


class CodeWrong(Invalid):
    """The code does not fit, or no longer: one answer, so that it tells nothing."""

    code = "code-wrong"


class ClockTooFar(Conflict):
    """A member's clock runs ahead by ten years at most. Facts: `days`."""

    code = "clock-too-far"
