"""The chain itself: legal entities, stores, products, staff and devices."""

from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base

ROLES = ("clerk", "manager", "finance", "admin")
DEVICE_CHANNELS = ("counter", "kiosk", "drive-through", "delivery")
DEVICE_PROFILES = ("till", "scanner", "screen")


class LegalEntity(Base):
    """A company or franchisee; it owns stores and owes taxes, by the law of its jurisdiction."""

    __tablename__ = "legal_entity"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    jurisdiction: Mapped[str] = mapped_column(default="TW")


class Store(Base):
    """A branch. Its business day ends at `day_ends_at` o'clock of the next calendar day.

    What a phone may collect without a network is good in one `offline_group` of stores.
    """

    __tablename__ = "store"
    __table_args__ = (
        CheckConstraint("offline_group BETWEEN 0 AND 65535", "offline_group_has_2_bytes"),
        Index("uq_store_online", "is_online", unique=True, postgresql_where=text("is_online")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    region: Mapped[str | None]
    time_zone: Mapped[str]
    day_ends_at: Mapped[time]
    is_online: Mapped[bool] = mapped_column(default=False)
    offline_group: Mapped[int] = mapped_column(default=1)


class StoreOwner(Base):
    """To whom a store belongs, from the first day of a month on. A change adds a row."""

    __tablename__ = "store_owner"
    __table_args__ = (
        PrimaryKeyConstraint("store_id", "starts_on"),
        CheckConstraint("extract(day FROM starts_on) = 1", "starts_on_the_first"),
    )

    store_id: Mapped[UUID] = mapped_column(ForeignKey(Store.id))
    starts_on: Mapped[date]
    legal_entity_id: Mapped[UUID] = mapped_column(ForeignKey(LegalEntity.id))


class Product(Base):
    """A drink in a size, with its list price (VAT included)."""

    __tablename__ = "product"
    __table_args__ = (CheckConstraint("list_price >= 0", "list_price_not_negative"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    size: Mapped[str]
    list_price: Mapped[int]
    currency: Mapped[str]


class Staff(Base):
    """A person who works at stores. Clerks and managers have a PIN, the office a password.

    A PIN with `pin_ends_at` was given by the desk: it is good until then, for choosing an own one.
    `totp_last_step` is the last half-minute whose one-time code was used: a code is good once.
    `member_id` names the person's own wallet, which they may not redeem from.
    """

    __tablename__ = "staff"
    __table_args__ = (
        CheckConstraint("role IN ('clerk', 'manager', 'finance', 'admin')", "role_known"),
        CheckConstraint("pin_hash IS NULL OR role IN ('clerk', 'manager')", "pin_at_tills"),
        CheckConstraint("password_hash IS NULL OR role <> 'clerk'", "password_at_desks"),
        CheckConstraint("(password_hash IS NULL) = (totp_sealed IS NULL)", "password_has_totp"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[str]
    member_id: Mapped[UUID | None]
    pin_hash: Mapped[str | None]
    pin_ends_at: Mapped[datetime | None]
    password_hash: Mapped[str | None]
    totp_sealed: Mapped[bytes | None]
    totp_last_step: Mapped[int] = mapped_column(default=0)
    disabled_at: Mapped[datetime | None]


class StaffStore(Base):
    """Where somebody works."""

    __tablename__ = "staff_store"
    __table_args__ = (PrimaryKeyConstraint("staff_id", "store_id"),)

    staff_id: Mapped[UUID] = mapped_column(ForeignKey(Staff.id))
    store_id: Mapped[UUID] = mapped_column(ForeignKey(Store.id))


class Device(Base):
    """A till or phone of one store, enrolled by a one-time code; it serves one `channel`.

    It signs what it sends with its own key (Ed25519), of which `public_key` is the other half; one
    that was enrolled before there were keys has none. Its `profile` lists the routes that it may
    call. `last_seen_at` is kept to the minute, with how far its clock was ahead then
    (`clock_skew_ms`), if it ever said so.
    """

    __tablename__ = "device"
    __table_args__ = (
        CheckConstraint(
            "channel IN ('counter', 'kiosk', 'drive-through', 'delivery')", "channel_known"
        ),
        CheckConstraint("(enrolled_at IS NULL) = (token_digest IS NULL)", "enrolled_has_token"),
        CheckConstraint("octet_length(public_key) = 32", "public_key_has_32_bytes"),
        CheckConstraint("profile IN ('till', 'scanner', 'screen')", "profile_known"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    store_id: Mapped[UUID] = mapped_column(ForeignKey(Store.id))
    name: Mapped[str]
    channel: Mapped[str] = mapped_column(default="counter")
    code_digest: Mapped[bytes] = mapped_column(unique=True)
    code_ends_at: Mapped[datetime]
    token_digest: Mapped[bytes | None] = mapped_column(unique=True)
    enrolled_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    public_key: Mapped[bytes | None] = mapped_column(unique=True)
    profile: Mapped[str] = mapped_column(default="till")
    software_version: Mapped[str | None]
    last_seen_at: Mapped[datetime | None]
    clock_skew_ms: Mapped[int | None]


class FormerKey(Base):
    """A key that a device had until it was enrolled again. It may have signed what comes in yet."""

    __tablename__ = "former_key"
    __table_args__ = (
        PrimaryKeyConstraint("device_id", "public_key"),
        CheckConstraint("octet_length(public_key) = 32", "public_key_has_32_bytes"),
    )

    device_id: Mapped[UUID] = mapped_column(ForeignKey(Device.id))
    public_key: Mapped[bytes]
    ended_at: Mapped[datetime]


class Shift(Base):
    """One staff person at one device, from PIN to sign-out. Its token signs every scan."""

    __tablename__ = "shift"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_digest: Mapped[bytes] = mapped_column(unique=True)
    device_id: Mapped[UUID] = mapped_column(ForeignKey(Device.id))
    staff_id: Mapped[UUID] = mapped_column(ForeignKey(Staff.id))
    started_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class OfficeSession(Base):
    """Finance, a manager or an admin at a desk: password and one-time code, short."""

    __tablename__ = "office_session"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_digest: Mapped[bytes] = mapped_column(unique=True)
    staff_id: Mapped[UUID] = mapped_column(ForeignKey(Staff.id))
    started_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Guess(Base):
    """Wrong secrets in a row for one subject: a staff number's PIN or password, or an address.

    The subject is an HMAC of what was typed, so that numbers which nobody has are counted, and
    refused, just like the others.
    """

    __tablename__ = "guess"
    __table_args__ = (CheckConstraint("failures > 0", "failures_positive"),)

    subject: Mapped[bytes] = mapped_column(primary_key=True)
    failures: Mapped[int]
    failed_at: Mapped[datetime] = mapped_column(index=True)


class WrongCode(Base):
    """How many made-up tokens a device has sent in an hour: guessing is slowed down."""

    __tablename__ = "wrong_code"
    __table_args__ = (PrimaryKeyConstraint("device_id", "hour_at"),)

    device_id: Mapped[UUID] = mapped_column(ForeignKey(Device.id))
    hour_at: Mapped[datetime]
    times: Mapped[int]
