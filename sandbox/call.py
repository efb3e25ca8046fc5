"""One call of the API while it executes."""

from dataclasses import dataclass
from datetime import datetime

from sandbox.errors import StripeError, missing_resource
from sandbox.params import Params
from sandbox.store import Document, Session


@dataclass
class Call:
    """What an endpoint is given, and what it leaves behind for the answer."""

    session: Session
    params: Params
    path_id: str
    now: datetime
    request_id: str | None
    idempotency_key: str | None
    is_publishable: bool
    base_url: str
    fee_basis_points: int
    """What a charge costs the merchant, in hundredths of a percent."""
    dispute_fee: int
    """What a dispute costs the merchant, in minor units."""

    @property
    def created(self) -> int:
        """The present in epoch seconds."""
        return int(self.now.timestamp())

    def get(self, kind: str, object_id: str, *, param: str) -> Document:
        """An object that a parameter names."""
        document = self.session.find(kind, object_id)
        if document is None:
            raise missing_resource(kind, object_id, param=param)
        return document

    def get_from_path(self, kind: str, *, param: str = "id") -> Document:
        """The object that the address names."""
        document = self.session.find(kind, self.path_id)
        if document is None:
            raise missing_resource(kind, self.path_id, param=param, status=404)
        return document

    def check_client_secret(self, intent: Document, client_secret: str | None) -> None:
        """With a publishable key an intent opens only together with its client secret."""
        if client_secret is None and not self.is_publishable:
            return
        if client_secret is None:
            raise StripeError(
                "Missing required param: client_secret.",
                code="parameter_missing",
                param="client_secret",
            )
        if client_secret != intent["client_secret"]:
            raise StripeError(
                f"The client_secret is not that of this {intent['object']}.",
                code=f"{intent['object']}_invalid_parameter",
                param="client_secret",
            )
