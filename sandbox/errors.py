"""Refusals in Stripe's form."""

from typing import Any

Facts = dict[str, Any]


class StripeError(Exception):
    """An answer other than 200: a status, a type, and what the caller may act on."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",  # noqa: A002  Stripe's word
        code: str | None = None,
        param: str | None = None,
        **facts: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.keeps_changes = False
        """Whether what was written before the refusal stands, as for a declined attempt."""
        given: Facts = {"code": code, "message": message, "param": param, "type": type, **facts}
        self.facts = {name: fact for name, fact in given.items() if fact is not None}
        if code:
            self.facts["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"

    def body(self) -> Facts:
        return {"error": self.facts}


class DeclinedError(StripeError):
    """The card was refused, by its issuer or since it is no valid card."""

    def __init__(self, message: str, *, code: str, **facts: Any) -> None:
        super().__init__(message, status=402, type="card_error", code=code, **facts)


def missing_resource(
    kind: str, object_id: str, *, param: str = "id", status: int = 400
) -> StripeError:
    """An id that names nothing: 404 when it stands in the path, 400 in a parameter."""
    return StripeError(
        f"No such {kind.replace('_', ' ')}: '{object_id[:100]}'",
        status=status,
        code="resource_missing",
        param=param,
    )
