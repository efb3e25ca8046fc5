"""Where invoices go: the tax office's platform, through whatever INVOICE_TO names.

`file:/folder` writes files for the tax office's own program (Turnkey) to fetch. A service is
`module:function`, one file with one function of `Port`'s signature.
"""

import importlib
from functools import cache
from pathlib import Path
from typing import Protocol

from invoicing.document import Document
from invoicing.ports.folder import Folder
from invoicing.ports.place import place
from kernel.config import ConfigError
from kernel.transaction import is_open


class Port(Protocol):
    """What INVOICE_TO names."""

    def __call__(self, document: Document) -> None:
        """Send a document; raise to have it tried again.

        The same may come twice, after a crash: its kind and number are the same then.
        """


def send(document: Document) -> None:
    """Send a document. Never inside a transaction: it talks to the outside.

    Raises:
        RuntimeError: a transaction is open.
        ConfigError: INVOICE_TO names nothing that can be called.
    """
    if is_open():
        raise RuntimeError("a transaction is open: an invoice is sent outside of it")
    port_to(place() or "")(document)


@cache
def port_to(named: str) -> Port:
    """What a place stands for.

    Raises:
        ConfigError: it names nothing that can be called.
    """
    if named.startswith("file:"):
        return Folder(Path(named.removeprefix("file:")))
    module, _, function = named.partition(":")
    try:
        found: Port = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as problem:
        raise ConfigError(
            "These environment variables need your attention:\n"
            f"  INVOICE_TO: there is no {named} to send invoices with ({problem})"
        ) from problem
    return found
