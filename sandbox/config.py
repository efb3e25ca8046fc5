"""What the sandbox is told by its environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_USUAL_FEE = "290"  # 2.9 %
_USUAL_DISPUTE_FEE = "45000"  # 450.00 TWD
_WHOLE = 10_000


class SettingsError(Exception):
    """The environment does not say what is needed; the message names all of it."""


@dataclass(frozen=True)
class Settings:
    """Read once at start-up. Without a webhook URL there is no configured endpoint."""

    db: str
    api_key: str
    webhook_url: str
    webhook_secret: str
    fee_basis_points: int
    dispute_fee: int
    """What a dispute costs the merchant, in minor units of the charge's currency."""

    @property
    def publishable_key(self) -> str:
        """The key a phone app would carry, derived from the secret one: sk_… → pk_…."""
        return "pk_" + self.api_key.removeprefix("sk_")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings.

        Raises:
            SettingsError: names everything that is missing or wrong, all at once.
        """
        fee = environment.get("SANDBOX_FEE_BASIS_POINTS") or _USUAL_FEE
        dispute_fee = environment.get("SANDBOX_DISPUTE_FEE") or _USUAL_DISPUTE_FEE
        settings = cls(
            db=environment.get("SANDBOX_DB", ""),
            api_key=environment.get("SANDBOX_API_KEY", ""),
            webhook_url=environment.get("SANDBOX_WEBHOOK_URL", ""),
            webhook_secret=environment.get("SANDBOX_WEBHOOK_SECRET", ""),
            fee_basis_points=_number(fee),
            dispute_fee=_number(dispute_fee),
        )
        complaints = settings._complaints()
        if complaints:
            raise SettingsError("The sandbox provider cannot start: " + "; ".join(complaints) + ".")
        return settings

    def _complaints(self) -> list[str]:
        complaints = []
        if not self.db:
            complaints.append("SANDBOX_DB must name the SQLite file")
        elif not Path(self.db).absolute().parent.is_dir():
            complaints.append(f"SANDBOX_DB is in a folder that does not exist: {self.db}")
        if not self.api_key.startswith("sk_test_"):
            complaints.append("SANDBOX_API_KEY must be a secret test key (sk_test_…)")
        if self.webhook_url and not self.webhook_url.startswith(("http://", "https://")):
            complaints.append("SANDBOX_WEBHOOK_URL must be an http(s) address")
        if bool(self.webhook_url) != bool(self.webhook_secret):
            complaints.append("SANDBOX_WEBHOOK_URL and SANDBOX_WEBHOOK_SECRET go together")
        if not 0 <= self.fee_basis_points <= _WHOLE:
            complaints.append(f"SANDBOX_FEE_BASIS_POINTS must be a number from 0 to {_WHOLE}")
        if self.dispute_fee < 0:
            complaints.append("SANDBOX_DISPUTE_FEE must be a number, in minor units")
        return complaints


def _number(text: str) -> int:
    """A whole number without a sign; -1 stands for anything else."""
    return int(text) if text.isascii() and text.isdigit() else -1
