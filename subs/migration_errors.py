"""What is refused when a version of a plan is to be left behind."""

from kernel.errors import Conflict, Invalid, refuse_on
from vouchers.offer_errors import TwoPeople

__all__ = [
    "MigrationDecided",
    "MigrationExists",
    "MigrationTooSoon",
    "NotANewerVersion",
    "TwoPeople",
]


class NotANewerVersion(Invalid):
    """It leads from a version of a plan to a later one of the same plan, and nowhere else."""

    code = "not-a-newer-version"


class MigrationTooSoon(Invalid):
    """Members are told so many `days` before, and may cancel."""

    code = "migration-too-soon"


class MigrationExists(Conflict):
    """Where that version leads is proposed already, or agreed."""

    code = "migration-exists"


class MigrationDecided(Conflict):
    """It was approved or rejected before."""

    code = "migration-decided"


refuse_on("uq_plan_migration_from", MigrationExists)
refuse_on("ck_plan_migration_two_people_agree", TwoPeople)
