"""Cups handed over: at which store, by whom, from which lots, and by which code."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base

CREDENTIAL_KINDS = ("phone", "code", "card")


class Credential(Base):
    """What opens a wallet at a till. Its secrets are derived from the id, so none is stored.

    A `phone` makes QR tokens with it; a `code` is read aloud, once, within a minute; a `card` is
    printed, and good for little at a time. It opens the wallet of `member_id`; one of a sharer
    (`holder_id`) only what is of a plan, `subscription_id`. Its holder may approve that more cups
    than usual are collected with it, `approved_cups`, for a while. A phone renews its credential
    each day; `phone_since` is when it had its first one (none: it is this one).
    """

    __tablename__ = "credential"
    __table_args__ = (
        CheckConstraint("octet_length(id) = 8", "id_has_8_bytes"),
        ForeignKeyConstraint(["member_id"], ["wallet.member_id"], name="fk_credential_wallet"),
        CheckConstraint("(holder_id IS NULL) = (subscription_id IS NULL)", "shared_is_of_a_plan"),
        CheckConstraint("kind IN ('phone', 'code', 'card')", "kind_known"),
        CheckConstraint(
            "(approved_cups IS NULL) = (approved_until IS NULL) AND approved_cups > 0",
            "approval_is_whole",
        ),
        Index("ix_credential_member", "member_id"),
        Index("ix_credential_holder", "holder_id", postgresql_where=text("holder_id IS NOT NULL")),
    )

    id: Mapped[bytes] = mapped_column(primary_key=True)
    member_id: Mapped[UUID]
    holder_id: Mapped[UUID | None]
    subscription_id: Mapped[UUID | None]
    issued_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    kind: Mapped[str] = mapped_column(default="phone")
    name: Mapped[str | None]
    approved_cups: Mapped[int | None]
    approved_until: Mapped[datetime | None]
    phone_since: Mapped[datetime | None]


class Redemption(Base):
    """Cups handed over at one store at one time. A code of one step is good for one of them.

    A capsule's serial then is the credential; offline it has no step. For a card, which has none,
    a number made of device and key stands here, so that a retry finds it for as long as there are
    redemptions (docs/adr/0043).
    `top_up` is what the till took besides for dearer drinks, and `top_up_vat` the VAT in it. Cups
    that nobody counts (an unlimited plan's) move no money: then there is no entry. `cups_voided` of
    the `cups` were undone; when all are, so is the redemption, at `voided_at`. `disowned_at` is
    when the member said that it was not them.
    """

    __tablename__ = "redemption"
    __table_args__ = (
        PrimaryKeyConstraint("member_id", "id"),
        UniqueConstraint(
            "member_id", "credential_id", "step", name="uq_redemption_token_used_once"
        ),
        CheckConstraint("cups > 0", "cups_positive"),
        CheckConstraint("top_up_vat BETWEEN 0 AND top_up", "top_up_sane"),
        CheckConstraint("cups_voided BETWEEN 0 AND cups", "voided_within_cups"),
        CheckConstraint("(voided_at IS NULL) = (cups_voided < cups)", "voided_when_all_are"),
        Index("ix_redemption_history", "member_id", "redeemed_at"),
        Index("ix_redemption_day", "store_id", "business_day"),
        Index("ix_redemption_id", "id"),
    )

    member_id: Mapped[UUID]
    id: Mapped[UUID]
    store_id: Mapped[UUID]
    device_id: Mapped[UUID]
    staff_id: Mapped[UUID]
    cups: Mapped[int]
    top_up: Mapped[int] = mapped_column(default=0)
    top_up_vat: Mapped[int] = mapped_column(default=0)
    redeemed_at: Mapped[datetime]
    business_day: Mapped[date]
    credential_id: Mapped[bytes]
    step: Mapped[int | None]
    entry_id: Mapped[UUID | None]
    is_offline: Mapped[bool] = mapped_column(default=False)
    cups_voided: Mapped[int] = mapped_column(default=0)
    voided_at: Mapped[datetime | None]
    disowned_at: Mapped[datetime | None]


class RedemptionLine(Base):
    """How many cups of which drink came from which lot, and the money that went with them.

    `amount` and `vat` are what left the lot, `top_up` is what these cups cost besides, VAT
    included; what of all that came back since is in the `_voided` ones. Where the voucher is taxed
    at the till, `amount` holds the whole price and `vat` none: what of it is VAT stands in the
    entry.
    """

    __tablename__ = "redemption_line"
    __table_args__ = (
        PrimaryKeyConstraint("member_id", "redemption_id", "lot_id", "product_id"),
        ForeignKeyConstraint(
            ["member_id", "redemption_id"],
            ["redemption.member_id", "redemption.id"],
            name="fk_redemption_line_redemption",
        ),
        ForeignKeyConstraint(
            ["member_id", "lot_id"], ["lot.member_id", "lot.id"], name="fk_redemption_line_lot"
        ),
        CheckConstraint("cups > 0 AND amount >= 0 AND vat >= 0", "takes_cups"),
        CheckConstraint(
            "cups_voided BETWEEN 0 AND cups AND amount_voided BETWEEN 0 AND amount"
            " AND vat_voided BETWEEN 0 AND vat AND top_up_voided BETWEEN 0 AND top_up",
            "voided_within_taken",
        ),
        CheckConstraint(
            "cups_voided < cups"
            " OR (amount_voided = amount AND vat_voided = vat AND top_up_voided = top_up)",
            "voided_wholly",
        ),
    )

    member_id: Mapped[UUID]
    redemption_id: Mapped[UUID]
    lot_id: Mapped[UUID]
    product_id: Mapped[UUID]
    offer_id: Mapped[UUID]
    cups: Mapped[int]
    amount: Mapped[int]
    vat: Mapped[int] = mapped_column(default=0)
    top_up: Mapped[int] = mapped_column(default=0)
    cups_voided: Mapped[int] = mapped_column(default=0)
    amount_voided: Mapped[int] = mapped_column(default=0)
    vat_voided: Mapped[int] = mapped_column(default=0)
    top_up_voided: Mapped[int] = mapped_column(default=0)


class Void(Base):
    """Cups of a redemption that were undone: how many, by whom, why, and what it gave back.

    After the store's time for it a second person has agreed, `approved_by_id`. Of cups that nobody
    counts nothing is booked. What an upload puts right of itself (`offline.amending`) is by
    nobody.
    """

    __tablename__ = "redemption_void"
    __table_args__ = (
        PrimaryKeyConstraint("member_id", "id"),
        ForeignKeyConstraint(
            ["member_id", "redemption_id"],
            ["redemption.member_id", "redemption.id"],
            name="fk_redemption_void_redemption",
        ),
        CheckConstraint("cups > 0", "cups_positive"),
        CheckConstraint("top_up >= 0", "top_up_not_negative"),
        CheckConstraint("approved_by_id <> staff_id", "by_two_people"),
        Index("ix_redemption_void_day", "store_id", "business_day"),
        Index("ix_redemption_void_news", "store_id", "id"),
    )

    member_id: Mapped[UUID]
    id: Mapped[UUID]
    redemption_id: Mapped[UUID]
    store_id: Mapped[UUID]
    staff_id: Mapped[UUID | None]
    approved_by_id: Mapped[UUID | None]
    cups: Mapped[int]
    top_up: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str | None]
    voided_at: Mapped[datetime]
    business_day: Mapped[date]
    entry_id: Mapped[UUID | None]


class LateVoid(Base):
    """A void that comes after the store's time: finance asks for it, a second person decides.

    `items` are cups by product, none for all that is left.
    """

    __tablename__ = "late_void"
    __table_args__ = (
        CheckConstraint(
            "(decided_at IS NULL) = (decided_by_id IS NULL)"
            " AND (decided_at IS NULL) = (is_approved IS NULL)",
            "decision_is_whole",
        ),
        CheckConstraint("NOT is_approved OR decided_by_id <> asked_by_id", "by_two_people"),
        Index(
            "uq_late_void_open",
            "redemption_id",
            unique=True,
            postgresql_where=text("decided_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID]
    redemption_id: Mapped[UUID]
    items: Mapped[dict[str, Any]]
    reason: Mapped[str]
    asked_by_id: Mapped[UUID]
    asked_at: Mapped[datetime]
    decided_by_id: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    is_approved: Mapped[bool | None]


class WalletBlock(Base):
    """Nothing is collected from a wallet, given or taken offline, until all its blocks are lifted.

    Its member's own (`is_own`), or the chain's: by somebody of the staff, for what a redemption at
    a store has shown, with a reason. `wallet.blocked_at` is when the oldest open one began.
    """

    __tablename__ = "wallet_block"
    __table_args__ = (
        ForeignKeyConstraint(["member_id"], ["wallet.member_id"], name="fk_wallet_block_wallet"),
        CheckConstraint(
            "is_own = (blocked_by_id IS NULL) AND is_own = (redemption_id IS NULL)"
            " AND is_own = (store_id IS NULL) AND is_own = (reason IS NULL)",
            "chains_own_says_why",
        ),
        CheckConstraint("lifted_at IS NOT NULL OR lifted_by_id IS NULL", "who_lifted_has_time"),
        Index(
            "uq_wallet_block_open",
            "member_id",
            "is_own",
            unique=True,
            postgresql_where=text("lifted_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID]
    is_own: Mapped[bool]
    redemption_id: Mapped[UUID | None]
    store_id: Mapped[UUID | None]
    reason: Mapped[str | None]
    blocked_by_id: Mapped[UUID | None]
    blocked_at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]
    lifted_by_id: Mapped[UUID | None]


class TurnedAway(Base):
    """A till was told no: why, for what. For the store's day sheet; of whose wallet is not said."""

    __tablename__ = "turned_away"
    __table_args__ = (
        CheckConstraint("cups > 0", "cups_positive"),
        Index("ix_turned_away_day", "store_id", "business_day"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    store_id: Mapped[UUID]
    device_id: Mapped[UUID]
    staff_id: Mapped[UUID]
    product_id: Mapped[UUID | None]
    cups: Mapped[int]
    reason: Mapped[str]
    turned_away_at: Mapped[datetime]
    business_day: Mapped[date]


OUTCOMES = ("applied", "overdrawn", "review")
REMEDIES = ("charged", "borne", "dismissed")


class Capsule(Base):
    """Cups that a phone may collect where till and phone are both offline.

    At most two, for a day, in one group of stores, one live per wallet; nothing is set aside for
    it. Its signature is made anew from these columns, so it is not stored. The phone's credential
    with which it was fetched, `credential_id`, is forgotten sooner.
    """

    __tablename__ = "capsule"
    __table_args__ = (
        CheckConstraint("octet_length(serial) = 8", "serial_has_8_bytes"),
        CheckConstraint("cups BETWEEN 1 AND 2", "one_or_two_cups"),
        CheckConstraint("store_group BETWEEN 0 AND 65535", "store_group_has_2_bytes"),
        CheckConstraint("key_id BETWEEN 0 AND 255", "key_id_has_1_byte"),
        ForeignKeyConstraint(["member_id"], ["wallet.member_id"], name="fk_capsule_wallet"),
        Index("ix_capsule_member", "member_id", "ends_at"),
        Index("ix_capsule_revoked", "ends_at", postgresql_where=text("revoked_at IS NOT NULL")),
    )

    serial: Mapped[bytes] = mapped_column(primary_key=True)
    member_id: Mapped[UUID]
    credential_id: Mapped[bytes]
    cups: Mapped[int]
    store_group: Mapped[int]
    key_id: Mapped[int]
    issued_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class OfflineItem(Base):
    """Cups that a till served without a network, as its log tells, and what became of them.

    The log is counted (`number`) and chained (`previous_hash`), each item signed by the device, by
    the key `signed_by`: with another it begins another log. One that forks has a number twice: both
    are kept.
    `cups_borne` of the `cups` found no lot, and the chain bears them. `review` and `overdrawn` wait
    for a person until `resolved_at`.
    """

    __tablename__ = "offline_item"
    __table_args__ = (
        PrimaryKeyConstraint("device_id", "number", "hash"),
        CheckConstraint("number > 0", "number_positive"),
        CheckConstraint("octet_length(hash) = 32", "hash_has_32_bytes"),
        CheckConstraint("octet_length(previous_hash) = 32", "previous_hash_has_32_bytes"),
        CheckConstraint("cups > 0 AND cups_borne BETWEEN 0 AND cups", "cups_sane"),
        CheckConstraint("outcome IN ('applied', 'overdrawn', 'review')", "outcome_known"),
        CheckConstraint("(outcome = 'applied') = (reason IS NULL)", "reason_unless_applied"),
        CheckConstraint("remedy IN ('charged', 'borne', 'dismissed')", "remedy_known"),
        CheckConstraint(
            "(resolved_at IS NULL) = (remedy IS NULL)"
            " AND (resolved_at IS NULL) = (resolved_by_id IS NULL)",
            "resolution_is_whole",
        ),
        Index("ix_offline_item_wallet", "member_id", "served_at"),
        Index("ix_offline_item_day", "store_id", "business_day"),
        Index(
            "ix_offline_item_open",
            "store_id",
            "received_at",
            postgresql_where=text("outcome <> 'applied' AND resolved_at IS NULL"),
        ),
    )

    device_id: Mapped[UUID]
    number: Mapped[int]
    hash: Mapped[bytes]
    previous_hash: Mapped[bytes]
    item: Mapped[str]
    signature: Mapped[bytes]
    signed_by: Mapped[bytes]
    store_id: Mapped[UUID]
    staff_id: Mapped[UUID | None]
    serial: Mapped[bytes | None]
    member_id: Mapped[UUID | None]
    product_id: Mapped[UUID | None]
    cups: Mapped[int]
    served_at: Mapped[datetime]
    business_day: Mapped[date]
    received_at: Mapped[datetime]
    outcome: Mapped[str]
    reason: Mapped[str | None]
    cups_borne: Mapped[int] = mapped_column(default=0)
    redemption_id: Mapped[UUID | None]
    resolved_at: Mapped[datetime | None]
    resolved_by_id: Mapped[UUID | None]
    remedy: Mapped[str | None]
    note: Mapped[str | None]
