"""Old versions of plans are left behind: proposed, agreed by two, announced to their members."""

from typing import Any
from uuid import UUID

from marshmallow import validate

from api.auth import OfficeCaller, office
from api.fields import Id, Integer, Schema, Text, Timestamp
from api.paging import Page, Position, page_of, paged
from api.routing import Resource
from kernel import clock
from kernel.errors import NotFound
from subs.migration_errors import (
    MigrationDecided,
    MigrationExists,
    MigrationTooSoon,
    NotANewerVersion,
    TwoPeople,
)
from subs.service import migration
from subs.service.migration import Leading

plan_migrations = Resource(
    "plan_migrations",
    "/v1/plan-migrations",
    "Plan migrations: members of an old version of a plan go on by a newer one.",
)

_ADMIN = office("admin")
_OFFICE = office("finance", "admin")
_STATES = ("proposed", "rejected", "approved", "announced")


class PlanMigrationBody(Schema):
    """From which version of a plan to which, and from when on."""

    plan_id = Id(required=True, metadata={"description": "The plan."})
    from_version = Integer(
        required=True, least=1, metadata={"description": "The version that is left behind."}
    )
    to_version = Integer(
        required=True, least=1, metadata={"description": "A later one, which is approved."}
    )
    from_at = Timestamp(
        required=True,
        metadata={
            "description": "A member's first period from then on is by the newer version; at least"
            " 30 days ahead."
        },
    )


class PlanMigrationView(Schema):
    """A migration. Where there is none, everybody keeps the version that they bought."""

    id = Id(required=True, attribute="migration.id", metadata={"description": "Opaque."})
    plan_id = Id(required=True, attribute="before.offer_id", metadata={"description": "The plan."})
    from_version = Integer(
        required=True,
        attribute="before.version",
        metadata={"description": "The version that is left behind."},
    )
    to_version = Integer(
        required=True, attribute="after.version", metadata={"description": "The later one."}
    )
    from_at = Timestamp(
        required=True,
        attribute="migration.from_at",
        metadata={"description": "A member's first period from then on is by the newer version."},
    )
    state = Text(
        required=True,
        validate=validate.OneOf(_STATES),
        metadata={"description": "`announced`: all members have been told."},
    )
    proposed_by_id = Id(
        required=True,
        attribute="migration.proposed_by_id",
        metadata={"description": "Who proposed it."},
    )
    proposed_at = Timestamp(
        required=True, attribute="migration.proposed_at", metadata={"description": "When."}
    )
    approved_by_id = Id(
        required=True,
        allow_none=True,
        attribute="migration.approved_by_id",
        metadata={"description": "Who agreed; null before."},
    )
    approved_at = Timestamp(
        required=True,
        allow_none=True,
        attribute="migration.approved_at",
        metadata={"description": "When; null before."},
    )
    rejected_by_id = Id(
        required=True,
        allow_none=True,
        attribute="migration.rejected_by_id",
        metadata={"description": "Who turned it down, or took it back; null if nobody did."},
    )
    rejected_at = Timestamp(
        required=True,
        allow_none=True,
        attribute="migration.rejected_at",
        metadata={"description": "When; null if not."},
    )
    announced_at = Timestamp(
        required=True,
        allow_none=True,
        attribute="migration.announced_at",
        metadata={"description": "When the last member was told; null before."},
    )


@plan_migrations.get("", guard=_OFFICE, query=Page, answer=paged(PlanMigrationView))
def list_plan_migrations(*, caller: OfficeCaller, query: dict[str, Any]) -> dict[str, Any]:
    """List everything that was ever proposed, the latest first."""
    del caller

    def read(limit: int, after: Position | None) -> list[Leading]:
        before = None if after is None else after[0]
        return migration.list_migrations(before=before, limit=limit)

    return page_of(read, query=query, position=lambda one: (one.migration.id,))


@plan_migrations.post(
    "",
    guard=_ADMIN,
    body=PlanMigrationBody,
    answer=PlanMigrationView,
    status=201,
    idempotency="answer",
    refusals=(NotFound, NotANewerVersion, MigrationTooSoon, MigrationExists),
)
def propose_plan_migration(*, caller: OfficeCaller, body: dict[str, Any]) -> Leading:
    """Propose that the members of an old version go on by a newer one.

    Nothing happens before somebody else agrees. Then they are told, and may cancel before.
    """
    return migration.propose(by_id=caller.staff_id, now=clock.now(), **body)


@plan_migrations.post(
    "/<uuid:migration_id>/approve",
    guard=_OFFICE,
    answer=PlanMigrationView,
    idempotency="answer",
    refusals=(NotFound, MigrationDecided, TwoPeople, MigrationTooSoon),
)
def approve_plan_migration(*, caller: OfficeCaller, migration_id: UUID) -> Leading:
    """Agree to what somebody else has proposed: members are told from now on."""
    return migration.approve(migration_id=migration_id, by_id=caller.staff_id, now=clock.now())


@plan_migrations.post(
    "/<uuid:migration_id>/reject",
    guard=_OFFICE,
    answer=PlanMigrationView,
    idempotency="answer",
    refusals=(NotFound, MigrationDecided),
)
def reject_plan_migration(*, caller: OfficeCaller, migration_id: UUID) -> Leading:
    """Turn a proposed migration down, or take your own back."""
    return migration.reject(migration_id=migration_id, by_id=caller.staff_id, now=clock.now())
