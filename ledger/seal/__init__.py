"""The seal: numbers, a chain of hashes, and its daily end outside. The fold writes the links."""

from ledger.seal.head import Head, HeadUnreadable, parse_all
from ledger.seal.verifying import Verified, verify

__all__ = ["Head", "HeadUnreadable", "Verified", "parse_all", "verify"]
