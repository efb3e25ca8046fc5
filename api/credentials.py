"""What a member shows at tills: their phones, the codes that are read aloud, and what is lost."""

from typing import Any

from marshmallow import fields, validate

import members
import redemption
from api.auth import MemberCaller, member
from api.fields import Cups, Id, Integer, Name, Schema, Text, Timestamp
from api.hex_ids import bytes_of
from api.routing import Resource
from kernel import clock
from kernel.errors import NotFound, RateLimited
from redemption import Credential, Issued

credentials = Resource(
    "credentials", "/v1/wallet/credentials", "Credentials: what a member's phones show codes with."
)
spoken_codes = Resource(
    "spoken_codes", "/v1/wallet/codes", "Codes that are read aloud, where no QR can be scanned."
)

MOST_APPROVED = 100


class CredentialView(Schema):
    """What a phone makes codes with. The seed is shown this once."""

    id = Text(required=True, metadata={"description": "8 bytes in hex."})
    seed = Text(required=True, metadata={"description": "32 bytes in hex: keep it secret."})
    step_seconds = Integer(required=True, metadata={"description": "A code lives so long."})
    issued_at = Timestamp(required=True, metadata={"description": "The server's clock."})
    ends_at = Timestamp(required=True, metadata={"description": "Renew it before this."})


class PhoneView(Schema):
    """A phone or code as its owner looks after it. What it makes codes with is not shown again."""

    id = Text(required=True, metadata={"description": "8 bytes in hex."})
    kind = Text(
        required=True,
        validate=validate.OneOf(("phone", "code", "card")),
        metadata={"description": "What shows it."},
    )
    name = Text(required=True, allow_none=True, metadata={"description": "To tell it by."})
    since = Timestamp(
        required=True, metadata={"description": "Since when it is known, renewals included."}
    )
    ends_at = Timestamp(required=True, metadata={"description": "Until when it shows codes."})
    subscription_id = Id(
        required=True,
        allow_none=True,
        metadata={"description": "The one plan that it opens, somebody else's; null: your wallet."},
    )
    approved_cups = Integer(
        required=True,
        allow_none=True,
        metadata={"description": "So many at a time are approved now; null: none are."},
    )
    approved_until = Timestamp(
        required=True, allow_none=True, metadata={"description": "Until when they are."}
    )


class PhonesView(Schema):
    """All of them."""

    items = fields.List(
        fields.Nested(PhoneView), required=True, metadata={"description": "The newest first."}
    )


class NameBody(Schema):
    """What to call it."""

    name = Name(
        required=True, most=60, allow_none=True, metadata={"description": "Null for no name."}
    )


class ApprovalBody(Schema):
    """What is going to be collected."""

    cups = Cups(
        required=True, most=MOST_APPROVED, metadata={"description": "At most so many at a time."}
    )


class SpokenCodeView(Schema):
    """A code to read aloud. It is shown this once."""

    id = Text(required=True, metadata={"description": "To approve or to revoke it. 8 bytes, hex."})
    code = Text(
        required=True,
        metadata={
            "description": "Eight signs; case, spaces and hyphens do not matter.",
            "example": "7GK2PM4X",
        },
    )
    ends_at = Timestamp(required=True, metadata={"description": "In a minute."})


@credentials.get("", guard=member, answer=PhonesView)
def list_credentials(*, caller: MemberCaller) -> dict[str, Any]:
    """List the phones that can show codes for what you hold, or for plans that you share."""
    found = redemption.list_credentials(member_id=caller.member_id, now=clock.common())
    return {"items": [shown_phone(one) for one in found]}


@credentials.post("", guard=member, answer=CredentialView, status=201, refusals=(RateLimited,))
def issue_credential(*, caller: MemberCaller) -> dict[str, Any]:
    """Give this phone what it needs to show codes for a day, also without a network.

    Five phones at a time; the oldest falls out. Twenty within an hour.
    """
    return shown_credential(
        redemption.issue_credential(member_id=caller.member_id, now=clock.common())
    )


@credentials.post(
    "/<credential>/renew",
    guard=member,
    answer=CredentialView,
    status=201,
    refusals=(NotFound, RateLimited),
)
def renew_credential(*, caller: MemberCaller, credential: str) -> dict[str, Any]:
    """Give this phone another seed for another day, as it should every day.

    It stays the phone that it was. What it had ends ten minutes later.
    """
    return shown_credential(
        redemption.renew_credential(
            member_id=caller.member_id, credential_id=bytes_of(credential), now=clock.common()
        )
    )


@credentials.put(
    "/<credential>/name", guard=member, body=NameBody, answer=PhoneView, refusals=(NotFound,)
)
def name_credential(
    *, caller: MemberCaller, credential: str, body: dict[str, Any]
) -> dict[str, Any]:
    """Give a phone, or a card, a name to tell it by."""
    named = redemption.name_credential(
        member_id=caller.member_id, credential_id=bytes_of(credential), now=clock.common(), **body
    )
    return shown_phone(named)


@credentials.post(
    "/<credential>/approve", guard=member, body=ApprovalBody, answer=PhoneView, refusals=(NotFound,)
)
def approve(*, caller: MemberCaller, credential: str, body: dict[str, Any]) -> dict[str, Any]:
    """Approve that up to so many cups at a time are collected with this phone or code.

    For ten minutes, by whoever is signed in: a till asks for it where many are collected at once,
    or with a phone that is new.
    """
    approved = redemption.approve(
        member_id=caller.member_id, credential_id=bytes_of(credential), now=clock.common(), **body
    )
    return shown_phone(approved)


@credentials.post("/<credential>/revoke", guard=member, status=204, refusals=(NotFound,))
def revoke_credential(*, caller: MemberCaller, credential: str) -> None:
    """End a phone that is lost, or a code, or a card. At once, and for good; again is no harm."""
    redemption.revoke_credential(
        member_id=caller.member_id, credential_id=bytes_of(credential), now=clock.common()
    )


@credentials.post("/revoke", guard=member, status=204)
def revoke_credentials(*, caller: MemberCaller) -> None:
    """End all that opens the wallet, and sign out everywhere but here: a phone is lost.

    Phones, codes, cards and capsules are over at once. This phone asks for a credential anew.
    """
    redemption.revoke_everything(member_id=caller.member_id, now=clock.common())
    members.end_other_sessions(
        member_id=caller.member_id, session_id=caller.session_id, now=clock.now()
    )


@spoken_codes.post("", guard=member, answer=SpokenCodeView, status=201, refusals=(RateLimited,))
def issue_spoken_code(*, caller: MemberCaller) -> dict[str, Any]:
    """Make a code to be read aloud at a till: good for a minute, once.

    An earlier one is over. Thirty within an hour.
    """
    made = redemption.issue_spoken_code(member_id=caller.member_id, now=clock.common())
    return {"id": made.id.hex(), "code": made.code, "ends_at": made.ends_at}


def shown_credential(issued: Issued) -> dict[str, Any]:
    """Bytes as text."""
    return {
        "id": issued.id.hex(),
        "seed": issued.seed.hex(),
        "step_seconds": issued.step_seconds,
        "issued_at": issued.issued_at,
        "ends_at": issued.ends_at,
    }


def shown_phone(found: Credential) -> dict[str, Any]:
    """One of them, without an approval that is over."""
    is_approved = found.approved_until is not None and found.approved_until > clock.common()
    return {
        "id": found.id.hex(),
        "kind": found.kind,
        "name": found.name,
        "since": found.phone_since or found.issued_at,
        "ends_at": found.ends_at,
        "subscription_id": found.subscription_id,
        "approved_cups": found.approved_cups if is_approved else None,
        "approved_until": found.approved_until if is_approved else None,
    }
