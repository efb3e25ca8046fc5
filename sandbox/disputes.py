"""Disputes as the merchant sees them: listed, answered with evidence, or accepted."""

from sandbox import dispute_course
from sandbox.call import Call
from sandbox.dispute_objects import EVIDENCE
from sandbox.errors import StripeError
from sandbox.events import emit
from sandbox.lists import Page, read_created, show_page
from sandbox.params import Params
from sandbox.store import Document, Filter

_MAX_EVIDENCE = 20_000


def retrieve(call: Call) -> Document:
    call.params.finish()
    return call.get_from_path("dispute", param="dispute")


def list_disputes(call: Call) -> Document:
    page, created = Page(call.params), read_created(call.params)
    charge_id = call.params.find_text("charge")
    intent_id = call.params.find_text("payment_intent")
    call.params.finish()
    shown = Filter("dispute", charge=charge_id, payment_intent=intent_id, created=created)
    return show_page(call, page, shown, url="/v1/disputes")


def update(call: Call) -> Document:
    """Give evidence, which goes to the bank at once unless `submit=false`, or change the notes.

    Raises:
        StripeError: the bank has the evidence already, or has decided.
    """
    params = call.params
    before = call.session.find("dispute", call.path_id) or {}
    metadata = params.metadata(before=before.get("metadata"))
    evidence = _read_evidence(params)
    submits = params.flag("submit", default=evidence is not None)
    params.finish()
    dispute = call.get_from_path("dispute", param="dispute") | {"metadata": metadata}
    if evidence is None and not submits:
        return _keep(call, dispute)
    if not dispute["status"].endswith("needs_response"):
        raise StripeError(f"This dispute's status is {dispute['status']}: it takes no evidence.")
    dispute["evidence"] |= evidence or {}
    dispute["evidence_details"]["has_evidence"] = any(dispute["evidence"].values())
    return dispute_course.submit(call, dispute) if submits else _keep(call, dispute)


def close(call: Call) -> Document:
    """Accept the dispute: it is lost. This cannot be undone.

    Raises:
        StripeError: it is closed, or is an inquiry, which only a refund or time ends.
    """
    call.params.finish()
    dispute = call.get_from_path("dispute", param="dispute")
    if dispute["status"].startswith("warning_"):
        raise StripeError("An inquiry cannot be accepted: refund the charge instead.")
    return dispute_course.decide(call, dispute, is_won=False)


def _read_evidence(params: Params) -> Document | None:
    group = params.find_group("evidence")
    if group is None:
        return None
    given = {key: group.find_text(key, longest=_MAX_EVIDENCE) for key in EVIDENCE if key in group}
    return dict(given)


def _keep(call: Call, dispute: Document) -> Document:
    call.session.save(dispute)
    emit(call, "charge.dispute.updated", dispute)
    return dispute
