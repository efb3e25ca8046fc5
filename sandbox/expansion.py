"""`expand[]`: ids in an answer replaced by the objects that they name."""

from sandbox.errors import StripeError
from sandbox.store import Document, Session

_MAX_DEPTH = 4
_EXPANDABLE = {
    "balance_transaction": ("source",),
    "charge": ("balance_transaction", "customer", "payment_intent"),
    "dispute": ("charge", "payment_intent"),
    "refund": (
        "balance_transaction",
        "charge",
        "failure_balance_transaction",
        "payment_intent",
    ),
    "payment_intent": ("customer", "latest_charge", "payment_method"),
    "setup_intent": ("customer", "payment_method"),
    "payment_method": ("customer",),
    "payout": ("balance_transaction",),
    "customer": (),
}
_KINDS = {"latest_charge": "charge", "failure_balance_transaction": "balance_transaction"}


def expand(session: Session, answer: Document, paths: list[str]) -> Document:
    """Replace what the dotted paths name, such as `latest_charge.balance_transaction`.

    Raises:
        StripeError: a path leads to nothing that can be expanded.
    """
    for path in paths:
        names = path.split(".")
        if len(names) > _MAX_DEPTH:
            raise StripeError(f"You cannot expand more than {_MAX_DEPTH} levels.", param="expand")
        _expand_along(session, answer, names, path)
    return answer


def _expand_along(session: Session, document: Document, names: list[str], path: str) -> None:
    if not names:
        return
    name, further = names[0], names[1:]
    if document.get("object") == "list" and name == "data" and further:
        for item in document["data"]:
            _expand_along(session, item, further, path)
        return
    if name == "refunds" and document.get("object") == "charge":
        _expand_along(session, document["refunds"], further, path)
        return
    if name not in _EXPANDABLE.get(document.get("object", ""), ()) or name not in document:
        raise StripeError(f"This property cannot be expanded ({path[:100]}).", param="expand")
    if isinstance(document[name], str):
        document[name] = _named(session, name, document[name])
    if document[name] is not None:
        _expand_along(session, document[name], further, path)


def _named(session: Session, name: str, object_id: str) -> Document | None:
    """The object that a property names; the source of a movement may be of any kind."""
    if name == "source":
        return session.find_any(object_id)
    return session.find(_KINDS.get(name, name), object_id)
