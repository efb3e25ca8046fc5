"""The cardholder's part: when the issuer wants it, and what the intent then asks for."""

from sandbox.call import Call
from sandbox.cards import Authentication, Card
from sandbox.ids import new_id
from sandbox.store import Document


def is_needed(card: Card, *, is_set_up: bool, off_session: bool) -> bool:
    """Whether the issuer refuses without the cardholder. Set-up cards are trusted off session."""
    match card.authentication:
        case Authentication.NEVER:
            return False
        case Authentication.ALWAYS:
            return True
        case Authentication.ON_SESSION:
            return not off_session
        case Authentication.UNLESS_SET_UP:
            return not (off_session and is_set_up)


def next_action(call: Call, intent: Document, *, return_url: str | None) -> Document:
    """How the client lets the cardholder authenticate; here the test helper plays that part."""
    kind = f"{intent['object']}s"
    url = f"{call.base_url}/v1/test_helpers/{kind}/{intent['id']}/authenticate"
    if return_url is not None:
        return {
            "type": "redirect_to_url",
            "redirect_to_url": {"return_url": return_url, "url": url},
        }
    details = {"type": "three_d_secure_redirect", "source": new_id("src_"), "stripe_js": url}
    return {"type": "use_stripe_sdk", "use_stripe_sdk": details}
