"""Who may pay with a card."""

from sandbox import payment_methods
from sandbox.call import Call
from sandbox.errors import StripeError
from sandbox.store import Document


def check_usable(
    call: Call, method: Document, *, customer_id: str | None, needs_attached: bool = False
) -> None:
    """A customer's card pays for that customer only; a card without one pays once.

    Raises:
        StripeError: the card is another's, is spent, or (`needs_attached`, as off session, where
            nobody is there to present it) is not the customer's.
    """
    owner_id = method["customer"]
    if owner_id is not None and customer_id is None:
        raise StripeError(
            f"The payment method {method['id']} belongs to a customer: name that customer in "
            "the request.",
            param="payment_method",
        )
    if owner_id is None:
        payment_methods.refuse_spent(call, method)
    if owner_id != customer_id and (owner_id is not None or needs_attached):
        raise StripeError(
            f"The customer does not have a payment method with the ID {method['id']}: it must "
            "be attached to the customer.",
            code="resource_missing",
            param="payment_method",
        )


def settle_owner(
    call: Call, method: Document, *, customer_id: str | None, for_future: bool
) -> Document:
    """After a card was used: attach it if it shall be used again, else it is spent."""
    if method["customer"] is not None:
        return method
    if for_future and customer_id is not None:
        return payment_methods.attach_to(call, method, customer_id)
    call.session.note(method["id"], is_spent=True)
    return method
