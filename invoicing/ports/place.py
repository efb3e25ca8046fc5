"""Where invoices go, as INVOICE_TO says."""

from kernel.config import config


def place() -> str | None:
    """`file:/folder`, or `module:function`; None where this installation sends none."""
    return config().invoice_to
