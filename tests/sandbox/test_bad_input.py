"""Whatever is sent, the answer is a refusal in Stripe's form, never a 500."""

from typing import Any

import pytest
import stripe

from tests.sandbox.provider import Provider

INTENT = "/v1/payment_intents"


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ("", "parameter_missing", "amount"),
        ("amount=abc&currency=twd", "parameter_invalid_integer", "amount"),
        ("amount=1.5&currency=twd", "parameter_invalid_integer", "amount"),
        ("amount=%EF%BC%91&currency=twd", "parameter_invalid_integer", "amount"),
        ("amount=0&currency=twd", "parameter_invalid_integer", "amount"),
        ("amount=-100&currency=twd", "parameter_invalid_integer", "amount"),
        ("amount=100000000&currency=twd", "amount_too_large", "amount"),
        (f"amount={'9' * 400}&currency=twd", "parameter_invalid_integer", "amount"),
        ("amount=&currency=twd", "parameter_invalid_empty", "amount"),
        ("amount=100", "parameter_missing", "currency"),
        ("amount=100&currency=xyz", None, "currency"),
        ("amount=100&currency=twd&colour=red", "parameter_unknown", "colour"),
        ("amount=100&currency=twd&confirm=yes", None, "confirm"),
        ("amount=100&currency=twd&off_session=true", None, "off_session"),
        ("amount=100&currency=twd&setup_future_usage=no", None, "setup_future_usage"),
        ("amount=100&currency=twd&capture_method=manual", None, "capture_method"),
        ("amount[a]=100&currency=twd", None, "amount"),
        ("amount=100&currency=twd&metadata=x", None, "metadata"),
        ("amount=100&currency=twd&metadata[a][b]=x", None, "metadata[a]"),
        (f"amount=100&currency=twd&metadata[{'k' * 41}]=x", None, "metadata"),
        ("amount=100&currency=twd&payment_method_types=card", None, "payment_method_types"),
        ("amount=100&currency=twd&payment_method_types[]=sepa", None, "payment_method_types"),
        ("amount=100&currency=twd&payment_method=pm_x", "resource_missing", "payment_method"),
        (
            "amount=100&currency=twd&payment_method_data[type]=sepa",
            None,
            "payment_method_data[type]",
        ),
        (
            "amount=100&currency=twd&automatic_payment_methods[x]=1",
            "parameter_unknown",
            "automatic_payment_methods[x]",
        ),
    ],
)
def test_a_wrong_parameter_is_named(provider: Provider, body: str, code: str | None, param: str):
    answer = post(provider, INTENT, body.encode())

    error = answer.json()["error"]
    assert answer.status_code == 400
    assert error["type"] == "invalid_request_error"
    assert (error.get("code"), error.get("param")) == (code, param)
    assert answer.headers["Request-Id"].startswith("req_")
    assert answer.headers["Stripe-Should-Retry"] == "false"


@pytest.mark.parametrize(
    "body",
    [
        b"amount=100&amount[a]=1",
        b"amount[a]=1&amount=100",
        b"a[b]=1&a[b][c]=2",
        b"a[b=1",
        b"a]b[=1",
        b"[a]=1",
        b"=1",
        b"a[b]c=1",
        b"a" + b"[b]" * 50 + b"=1",
        b"\xff\xfe=1",
        b"a=%ff",
        b"&".join(b"k%d=1" % n for n in range(1001)),
        b"\x00",
        b'{"amount": 100}',
        b"amount=100&currency=twd&description=" + b"x" * 5001,
        b"amount=100&currency=twd&expand=latest_charge",
        b"amount=100&currency=twd&expand[a][b]=1",
    ],
)
def test_a_body_that_is_no_sensible_form_is_refused(provider: Provider, body: bytes):
    answer = post(provider, INTENT, body)

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_json_is_not_what_stripe_speaks(provider: Provider):
    answer = provider.raw("POST", INTENT, json={"amount": 100, "currency": "twd"})

    assert answer.status_code == 400


def test_a_huge_body_is_refused(provider: Provider):
    answer = post(provider, INTENT, b"description=" + b"x" * 1_100_000)

    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/v1/unheard_of"),
        ("DELETE", "/v1/customers/cus_x"),
        ("PATCH", "/v1/customers/cus_x"),
        ("GET", "/v1/customers/cus_x"),
        ("POST", "/v1/customers/cus_x"),
        ("GET", "/v1/payment_intents/%00%ff"),
        ("GET", "/v1/payment_intents/pi_%E5%AF%84"),
        ("POST", "/v1/payment_intents/pi_x/confirm"),
        ("POST", "/v1/setup_intents/seti_x/confirm"),
        ("GET", "/v1/refunds/re_x"),
        ("GET", "/v1/events/evt_x"),
        ("GET", "/v1/charges/ch_x"),
        ("POST", "/v1/payment_methods/pm_x/detach"),
        ("POST", "/v1/test_helpers/payment_intents/pi_x/authenticate"),
    ],
)
def test_what_is_not_there_is_a_404(provider: Provider, method: str, path: str):
    answer = provider.raw(method, path)

    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=many",
        "starting_after=pi_x",
        "starting_after=a&ending_before=b",
        "created=soon",
        "created[after]=1",
        "created[gte]=soon",
        "created[gte]=",
        "unheard_of=1",
        "%ff",
        "limit[]=1",
    ],
)
def test_a_list_with_a_wrong_question_is_refused(provider: Provider, query: str):
    assert provider.raw("GET", f"{INTENT}?{query}").status_code == 400


def test_an_id_of_another_kind_is_not_found(
    provider: Provider, client: stripe.V1Services, alice: stripe.Customer
):
    assert provider.raw("GET", f"/v1/charges/{alice.id}").status_code == 404
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.payment_intents.create(
            {"amount": 100, "currency": "twd", "customer": "pm_card_visa"}
        )
    assert refused.value.param == "customer"


def test_an_overlong_key_is_refused(provider: Provider):
    answer = provider.raw("POST", "/v1/customers", headers={"Idempotency-Key": "k" * 256})

    assert answer.status_code == 400


def test_text_of_any_script_is_kept(client: stripe.V1Services):
    name = "寄杯 🧋 <b>\"'\\\u0000\u202e"

    customer = client.customers.create({"name": name, "metadata": {"鍵": name}})

    kept = client.customers.retrieve(customer.id)
    assert kept.name == name
    assert kept.metadata["鍵"] == name


def post(provider: Provider, path: str, body: bytes) -> Any:
    return provider.raw(
        "POST",
        path,
        content=body,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
