"""The cardholder's hand, for tests: pass or fail an authentication."""

from sandbox import intents, payment_attempts, setup_intents
from sandbox.call import Call
from sandbox.store import Document


def authenticate_payment(call: Call) -> Document:
    """POST …/payment_intents/{id}/authenticate with `outcome=succeed|fail`."""
    passed, intent = _read(call, "payment_intent")
    return payment_attempts.finish_authentication(call, intent, passed=passed)


def authenticate_setup(call: Call) -> Document:
    """POST …/setup_intents/{id}/authenticate with `outcome=succeed|fail`."""
    passed, intent = _read(call, "setup_intent")
    return setup_intents.finish_authentication(call, intent, passed=passed)


def _read(call: Call, kind: str) -> tuple[bool, Document]:
    client_secret = call.params.find_text("client_secret")
    outcome = call.params.find_choice("outcome", ("succeed", "fail")) or "succeed"
    call.params.finish()
    intent = call.get_from_path(kind, param="intent")
    call.check_client_secret(intent, client_secret)
    if intent["status"] != "requires_action":
        raise intents.unexpected_state(intent, "be authenticated")
    return outcome == "succeed", intent
