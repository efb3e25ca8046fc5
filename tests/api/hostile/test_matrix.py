"""Every route × every kind of token × somebody else's things, against the guard it declares.

What a guard lets in may be refused further on, but never as nobody (401) or as the wrong role;
what it does not let in is refused before anything else, and no row changes.
"""

import pytest

from tests.api.hostile.cast import CHAINS, KINDS, is_let_in
from tests.api.hostile.targets import assert_problem, each, everywhere
from tests.examples import in_turn

# Who may act on what belongs to others: an admin, on the devices and staff of all stores; finance,
# on what members and stores cannot settle among themselves.
EVERYWHERE = {
    ("POST /v1/devices/{device_id}/revoke", "admin"),
    ("POST /v1/devices/{device_id}/re-enrol", "admin"),
    ("POST /v1/offline-reviews/{device_id}/{item_number}/resolve", "admin"),
    ("POST /v1/offline-reviews/{device_id}/{item_number}/resolve", "finance"),
    ("POST /v1/staff/{staff_id}/disable", "admin"),
    ("POST /v1/staff/{staff_id}/reset-pin", "admin"),
    ("POST /v1/wallet-blocks/{wallet_block_id}/lift", "admin"),
    ("POST /v1/wallet-blocks/{wallet_block_id}/lift", "finance"),
}
# What is nobody's: everybody may look a problem up, and all of finance sees the same books.
NOBODYS = {"slug"} | CHAINS

# How it looks when it is somebody else's.
NOT_THEIRS = {(404, "not-found"), (404, "gift-not-found"), (403, "store-scope")}


def mine(route):
    return set(route.path_names) - NOBODYS


@each(lambda route: not route.guard.is_open)
def test_a_token_that_the_guard_does_not_name_is_refused(attacker, cast, unchanged, target):
    refused_kinds = [kind for kind in KINDS if not is_let_in(target.route.guard, kind)]
    shown = {kind: cast.lasting(cast.owners, kind) for kind in refused_kinds}
    with unchanged():
        for kind, headers in shown.items():
            is_known = KINDS[kind][0] in target.route.guard.schemes
            refused = (403, "forbidden") if is_known else (401, "unauthenticated")
            assert_problem(target.call(attacker, cast.ids, headers), *refused, kind)


@pytest.mark.in_turn
@each(lambda route: not route.guard.is_open)
def test_a_token_that_is_no_longer_good_is_refused(attacker, cast, unchanged, target):
    dead = list(cast.dead.items())  # made when they are first asked for
    with unchanged():
        for kind, headers in in_turn(dead, target.turn):
            answer = target.call(attacker, cast.ids, headers)
            assert_problem(answer, 401, "unauthenticated", kind)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@each(mine)
def test_somebody_elses_thing_is_not_there_or_out_of_scope(attacker, cast, unchanged, target):
    let_in = [kind for kind in KINDS if is_let_in(target.route.guard, kind)]
    for kind in [kind for kind in let_in if (target.label, kind) not in EVERYWHERE]:
        headers = cast.lasting(cast.strangers, kind)
        with unchanged():
            answer = target.call(attacker, cast.ids, headers)
            told = (answer.status_code, answer.json["reason"])
            assert told in NOT_THEIRS, (kind, answer.text)
            assert_problem(answer, *told, kind)
            assert_no_word_of(cast, answer)


@each(lambda route: "member" in route.guard.schemes and route.method == "GET")
def test_a_stranger_reads_nothing_of_alices(attacker, cast, target):
    assert_no_word_of(cast, target.call(attacker, cast.ids, cast.strangers("member")))


@each(everywhere)
def test_a_token_that_the_guard_names_gets_past_it(attacker, cast, target):
    let_in = [kind for kind in KINDS if is_let_in(target.route.guard, kind)]
    for kind in ["nobody"] if target.route.guard.is_open else let_in:
        answer = target.call(attacker, absent(cast), cast.strangers(kind))
        assert answer.status_code < 500
        if not answer.is_json or answer.status_code < 400:
            continue
        assert answer.json["reason"] not in {"unauthenticated", "forbidden", "csrf"}, kind


def absent(cast):
    """Ids of nothing at all, so that letting in does no harm."""
    return dict.fromkeys(cast.ids, "0199b5a0-0000-7000-8000-00000000dead")


def assert_no_word_of(cast, answer):
    """Assert that an answer tells nothing about whose the things are."""
    told = answer.get_data(as_text=True)
    theirs = [value for name, value in cast.ids.items() if name not in NOBODYS]
    for fact in (str(cast.alice), str(cast.shop.staff_id), *theirs):
        assert fact not in told


@pytest.mark.parametrize("kind", ["member", "till", "manager", "finance", "admin"])
def test_a_token_opens_nothing_in_another_place_than_its_header(attacker, cast, kind):
    """Not in the query, not as a cookie of any name, not as a password."""
    token = cast.owners(kind)["Authorization"].removeprefix("Bearer ")
    address = {"member": "/v1/wallet", "till": f"/v1/redemptions/{cast.ids['redemption_id']}"}
    path = address.get(kind, "/v1/devices")

    for headers in (
        {"Cookie": f"session={token}; Authorization={token}"},
        {"Authorization": f"Basic {token}"},
        {"Authorization": token},
        {"X-Authorization": f"Bearer {token}"},
        {"Proxy-Authorization": f"Bearer {token}"},
    ):
        assert_problem(attacker.get(path, headers=headers), 401, "unauthenticated", headers)
    assert_problem(attacker.get(f"{path}?access_token={token}"), 401, "unauthenticated")
