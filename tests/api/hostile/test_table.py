"""The table of bad input (docs/api.md), held over every route that the application lists.

Rows that follow from what a route declares are tested here, on all routes of that sort, so that a
new one is covered when it is listed; routes take turns with values that the same code reads for all
of them (`make faults` tries each everywhere). Every refusal is a whole problem and changes no row.

| input | where else it is held, more closely |
|---|---|
| JSON that is none; values and fields that are wrong | `frame/test_bodies.py`, each room's own |
| naive time, 30 February | `frame/test_bodies.py`; `test_members.py` for birthdays |
| `limit=-1`, forged cursor | `frame/test_addresses.py`, `frame/test_paging.py` |
| foreign or landline phone | `test_sign_in.py` |
| text/plain, over 64 KB, address over 4 KB, headers over 8 KB | `frame/test_bodies.py` |
| junk in an id | `frame/test_addresses.py` |
| somebody else's things; no, ended or revoked session or device; wrong role; other store | `test_matrix.py` |
| foreign Origin, no CSRF token | `frame/test_guards.py` |
| QR garbage, old, used | `test_redemptions.py`, `service/redemption/test_redeem.py` |
| more cups than held, second void, frozen, limits, product, store | `service/redemption/` |
| key missing, malformed, twice, reused, in flight | `frame/test_idempotency.py` |
| fifth wrong code, sixth in an hour | `test_sessions.py`, `test_sign_in.py` |
| 1,000 guessed codes | here, `service/redemption/test_redeem.py` |
| Stripe's signature | here, `test_webhooks.py`, `unit/payments/test_signature.py` |
| PostgreSQL down | `test_outage.py` |
"""  # noqa: E501  a table

import json
from contextlib import nullcontext
from datetime import timedelta
from urllib.parse import quote

import pytest
from psycopg.types.json import Jsonb

from api import browser
from api.fields import QueryInteger
from api.paging import Cursor
from kernel import clock, hot
from kernel.config import config
from kernel.idempotency import fingerprint
from kernel.ids import new_id
from tests.api.hostile.examples import places
from tests.api.hostile.targets import TARGETS, assert_problem, each, everywhere
from tests.events import event, sealed
from tests.examples import in_turn

pytestmark = pytest.mark.in_turn

JSON = {"content_type": "application/json"}
NO_JSON = (
    b"", b" ", b"{", b"{'a': 1}", b'{"a": 1,}', b'{"a": 1}x', b'{"a": NaN}', b'{"a": -Infinity}',
    b'{"a": 1e999}', b'{"a": 1, "a": 2}', b"9" * 5_000, b"[" * 5_000 + b"]" * 5_000,
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000, b'{"a": "\xff"}', '{"a": 1}'.encode("utf-16"),
    '{"a": 1}'.encode("utf-8-sig"),
)  # fmt: skip
NOT_JSON = ("text/plain", "", "application/x-www-form-urlencoded", "multipart/form-data")
UNKNOWN = ("role=admin", "offset=1", "%00=1", "x=%00", "%ff=1", "%F0%9F=1", "role")
FOREIGN = ("role", "balance", "member_id", "price", "__class__", "constructor", "is_admin")


def keyed(route):
    return route.idempotency != "none"


def unsafe_for_members(route):
    return "browser" in route.guard.schemes and route.method != "GET"


@each(lambda route: route.body)
def test_what_is_no_json_is_malformed(attacker, cast, unchanged, target):
    owner = cast.owner(target.route.guard)
    with unchanged():
        for sent in in_turn(NO_JSON, target.turn):
            answer = target.call(attacker, cast.ids, owner, data=sent, **JSON)
            assert_problem(answer, 400, "malformed-json", sent[:40])


@each(lambda route: route.body)
def test_what_is_no_object_or_has_foreign_fields_is_not_valid(attacker, cast, unchanged, target):
    owner = cast.owner(target.route.guard)
    with unchanged():
        for sent in in_turn(("[]", "null", "1", '"x"', "true", "[{}]"), target.turn):
            answer = target.call(attacker, cast.ids, owner, data=sent, **JSON)
            assert_problem(answer, 422, "validation", sent)
        known = target.route.body.load_fields.keys()  # a pack has a price
        for name in in_turn([name for name in FOREIGN if name not in known], target.turn):
            sent = {**target.example, name: 1}
            answer = target.call(attacker, cast.ids, owner, json=sent)
            assert_problem(answer, 422, "validation", sent)
            assert {error["field"] for error in answer.json["errors"]} == {name}


@each(lambda route: route.body)
def test_a_wrong_value_is_not_valid_and_named(attacker, cast, unchanged, target):
    owner = cast.owner(target.route.guard)
    with unchanged():
        for turn, place in enumerate(places(target.route.body), target.turn):
            for wrong in in_turn(list(place.wrong()), turn):
                sent = place.around(wrong)
                answer = target.call(attacker, cast.ids, owner, data=sent.encode(), **JSON)
                assert_problem(answer, 422, "validation", sent)
                named = [error["field"] for error in answer.json["errors"]]
                assert any(name.startswith(place.way) for name in named), sent


@each(lambda route: route.body)
def test_what_is_not_said_to_be_json_or_is_too_much_is_refused(attacker, cast, unchanged, target):
    owner, most = cast.owner(target.route.guard), target.route.most_bytes
    body = json.dumps(target.example).encode()
    with unchanged():
        for kind in in_turn(NOT_JSON, target.turn):
            answer = target.call(attacker, cast.ids, owner, data=body, content_type=kind)
            assert_problem(answer, 415, "unsupported-media-type", kind)
        answer = target.call(attacker, cast.ids, owner, data=body.ljust(most + 1), **JSON)
        assert_problem(answer, 413, "body-too-large")


@each(everywhere)
def test_what_is_too_long_or_unknown_in_an_address_or_header_is_refused(
    attacker, cast, unchanged, target
):
    owner = cast.owner(target.route.guard)
    with unchanged():
        answer = target.call(attacker, cast.ids, owner, query="a=" + "a" * 4_096)
        assert_problem(answer, 414, "address-too-long")
        padded = {**owner, **{f"X-{number}": "a" * 1_000 for number in range(9)}}
        answer = target.call(attacker, cast.ids, padded)
        assert_problem(answer, 431, "headers-too-large")
        for query in in_turn(UNKNOWN, target.turn):
            answer = target.call(attacker, cast.ids, owner, query=query)
            assert_problem(answer, 422, "validation", query)


@each(lambda route: route.query)
def test_a_wrong_query_is_not_valid(attacker, cast, unchanged, target):
    owner = cast.owner(target.route.guard)
    with unchanged():
        for turn, (name, field) in enumerate(target.route.query.fields.items(), target.turn):
            here = field.data_key or name
            wrong = ["", "%00", "%ED%A0%80", "珍" * 300, "x", "2026-02-30", "-1", "1%27--"]
            if isinstance(field, QueryInteger):
                wrong += ["0", "201", "1.9", "1e1", "１", "1_0", "+1", str(2**63), "9" * 400]
            if isinstance(field, Cursor):
                wrong += ["AAAA", "A" * 600, "null", quote("珍"), "e30="]
            for value in in_turn((*wrong, f"1&{here}=2"), turn):
                answer = target.call(attacker, cast.ids, owner, query=f"{here}={value}")
                slug = answer.json["reason"]
                assert slug in {"validation", "period-invalid"}, (here, value)
                assert_problem(answer, 422, slug, value)


# What in an address is no id, and what is told of it where it is none.
NAMED = {
    "period": {(422, "period-invalid")},
    "code": {(422, "account-unknown"), (422, "validation")},
    "gift": {(404, "gift-not-found")},
    "token": {(404, "gift-not-found")},
    "invitation": {(404, "not-found")},
}


@each(lambda route: route.path_names)
def test_junk_for_an_id_is_not_found(attacker, cast, unchanged, target):
    owner = cast.owner(target.route.guard)
    junk = ("x", "1", "-1", "null", "%00", "%ff", "%E7%8F%8D", "0" * 36, "..%2f..", "' OR 1=1",
            str(new_id()), str(new_id()).replace("-", ""), "{" + str(new_id()) + "}")  # fmt: skip
    for turn, name in enumerate(target.route.path_names, target.turn):
        is_kept = keyed(target.route) and name in NAMED  # what the business refuses, a key keeps
        with nullcontext() if is_kept else unchanged():
            for value in in_turn(junk, turn):
                answer = target.call(attacker, cast.ids | {name: value}, owner)
                told = (answer.status_code, answer.json["reason"])
                assert told in {(404, "not-found"), *NAMED.get(name, ())}, value
                assert_problem(answer, *told, value)


@pytest.mark.parametrize("address", sorted({target.address for target in TARGETS}))
def test_a_method_that_is_not_declared_is_told_the_right_ones(attacker, cast, unchanged, address):
    here = [target for target in TARGETS if target.address == address]
    declared = {target.route.method for target in here}
    with unchanged():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - declared:
            answer = attacker.open(here[0].path(cast.ids), method=method)
            assert_problem(answer, 405, "method-not-allowed", method)
            assert set(answer.headers["Allow"].split(", ")) - {"HEAD"} == declared


@each(unsafe_for_members)
def test_a_cookie_changes_nothing_from_another_page(attacker, cast, unchanged, target):
    token, ours = cast.browser(), config().public_origin
    cookie, good = {"Cookie": f"{browser.COOKIE}={token}"}, browser.csrf_token(token)
    with unchanged():
        for forged in (
            {},
            {"Origin": ours},
            {"X-CSRF-Token": good},
            {"Origin": "https://elsewhere.example", "X-CSRF-Token": good},
            {"Origin": "null", "X-CSRF-Token": good},
            {"Origin": ours, "X-CSRF-Token": good[:-1]},
            {"Origin": ours, "X-CSRF-Token": browser.csrf_token(token + "x")},
        ):
            assert_problem(target.call(attacker, cast.ids, cookie | forged), 403, "csrf", forged)


@each(unsafe_for_members)
def test_a_cookie_of_nobody_is_out_also_from_our_own_page(attacker, cast, unchanged, target):
    token = "mem_" + "A" * 43
    ours = {
        "Cookie": f"{browser.COOKIE}={token}",
        "Origin": config().public_origin,
        "X-CSRF-Token": browser.csrf_token(token),
    }
    with unchanged():
        assert_problem(target.call(attacker, cast.ids, ours), 401, "unauthenticated")


@each(keyed)
def test_a_key_that_is_missing_or_none_is_refused(attacker, cast, unchanged, target):
    owner, body = cast.owner(target.route.guard), target.example
    path, method = target.path(cast.ids), target.route.method
    with unchanged():
        answer = attacker.open(path, method=method, headers=owner, json=body)
        assert_problem(answer, 400, "idempotency-key-missing")
        malformed = ("", "a" * 15, "a" * 65, "a" * 16 + "!", '"' + "a" * 16, "a" * 16 + ",")
        for key in in_turn(malformed, target.turn):
            answer = target.call(attacker, cast.ids, {**owner, "Idempotency-Key": key})
            assert_problem(answer, 400, "idempotency-key-malformed", key)
        twice = [*owner.items(), *[("Idempotency-Key", "k" * 16)] * 2]
        answer = attacker.open(path, method=method, headers=twice, json=body)
        assert_problem(answer, 400, "idempotency-key-malformed")


@each(keyed)
def test_a_key_of_another_request_or_one_in_flight_is_refused(attacker, cast, unchanged, target):
    route, owner = target.route, cast.owner(target.route.guard)
    loaded = None if route.body is None else route.body.load(target.example)
    same = fingerprint(f"{route.method} {target.path(cast.ids)}", loaded)
    kept = {"status": 200, "body": "{}", "headers": {}}
    reused, in_flight = new_id().hex, new_id().hex
    for key, about, answer in ((reused, b"another", kept), (in_flight, same, None)):
        hot.rows(
            "INSERT INTO idempotency_key (principal_id, key, fingerprint, answer, created_at)"
            " VALUES (%(who)s, %(key)s, %(about)s, %(answer)s, %(now)s) RETURNING key",
            {"who": cast.principal(route.guard), "key": key, "about": about,
             "answer": Jsonb(answer), "now": clock.now()},
        )  # fmt: skip
    with unchanged():
        headers = {**owner, "Idempotency-Key": reused}
        assert_problem(target.call(attacker, cast.ids, headers), 422, "idempotency-key-reused")
        headers = {**owner, "Idempotency-Key": in_flight}
        answer = target.call(attacker, cast.ids, headers)
        assert_problem(answer, 409, "idempotency-in-flight")
        assert int(answer.headers["Retry-After"]) >= 1


def test_a_device_that_guesses_is_stopped_after_its_thousandth_code(attacker, cast):
    redeem = next(target for target in TARGETS if target.label == "POST /v1/redemptions")
    guess = {"product_id": str(new_id()), "cups": 1}
    hot.rows(
        "INSERT INTO wrong_code (device_id, hour_at, times)"
        " VALUES (%(till)s, date_trunc('hour', %(now)s, 'UTC'), 998) RETURNING times",
        {"till": cast.other_shop.device_id, "now": clock.now()},
    )
    guesser = cast.strangers("till")
    for number in range(2):
        answer = redeem.call(attacker, {}, guesser, json={**guess, "code": f"GUESS{number}"})
        assert_problem(answer, 422, "token-invalid")
    genuine = cast.club.world.code(cast.club.world.add_credential(cast.alice), at=clock.now())
    for code in ("GUESS3", genuine):
        answer = redeem.call(attacker, {}, guesser, json={**guess, "code": code})
        assert_problem(answer, 429, "rate-limited")
        assert 1 <= int(answer.headers["Retry-After"]) <= 3_600


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(lambda _: "", id="empty"),
        pytest.param(lambda good: good + "\u00f1", id="not ASCII"),
        pytest.param(lambda good: good.replace("t=", "t=１"), id="full-width stamp"),
        pytest.param(lambda good: good.replace("t=", "t=-"), id="negative stamp"),
        pytest.param(lambda good: good.replace("t=", "t=9" * 3), id="endless stamp"),
        pytest.param(lambda good: f"t=1,{good}", id="two stamps"),
        pytest.param(lambda good: good.partition(",")[2], id="no stamp"),
        pytest.param(lambda good: good.partition(",")[0], id="no signature"),
        pytest.param(lambda good: good.replace("v1=", "v0="), id="older scheme"),
        pytest.param(lambda good: good[:-1], id="cut off"),
        pytest.param(lambda good: good.upper(), id="shouted"),
        pytest.param(lambda good: good + ",v1=" * 2_000, id="too long"),
    ],
)
def test_a_forged_signature_is_refused(attacker, unchanged, forge):
    body = json.dumps(event("payment_intent.succeeded", "pi_1")).encode()
    signature = forge(sealed(body, at=clock.now())).encode().decode("latin-1")
    with unchanged():
        answer = attacker.post(
            "/v1/webhooks/stripe", data=body, headers={"Stripe-Signature": signature}
        )
        slug = "headers-too-large" if len(signature) > 8_192 else "signature-invalid"
        assert_problem(answer, 431 if len(signature) > 8_192 else 400, slug)


def test_a_stale_or_future_signature_is_refused(attacker, unchanged):
    body = json.dumps(event("payment_intent.succeeded", "pi_1")).encode()
    with unchanged():
        for off in (timedelta(seconds=-302), timedelta(seconds=62), timedelta(days=9_000)):
            signature = sealed(body, at=clock.now() + off)
            answer = attacker.post(
                "/v1/webhooks/stripe", data=body, headers={"Stripe-Signature": signature}
            )
            assert_problem(answer, 400, "signature-invalid", off)
