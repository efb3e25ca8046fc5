"""Against RFC 9421, appendix B.2.6, and against everything that could be changed on the way."""

from base64 import b64decode, urlsafe_b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chain import Message, Signed, check_signed, is_fresh, is_signature, parameters_of
from kernel.errors import Forbidden, Unauthenticated

# The key and the example of the RFC.
RFC_PUBLIC = urlsafe_b64decode("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs=")
RFC_PRIVATE = urlsafe_b64decode("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU=")
RFC_BASE = b"""\
"date": Tue, 20 Apr 2021 02:07:55 GMT
"@method": POST
"@path": /foo
"@authority": example.com
"content-type": application/json
"content-length": 18
"@signature-params": ("date" "@method" "@path" "@authority" "content-type" "content-length")\
;created=1618884473;keyid="test-key-ed25519\""""
RFC_SIGNATURE = b64decode(
    "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
)

KEY = Ed25519PrivateKey.from_private_bytes(RFC_PRIVATE)
DEVICE = UUID("0199b5a0-0000-7000-8000-000000000001")
OTHER = UUID("0199b5a0-0000-7000-8000-000000000002")
NOW = datetime(2026, 1, 14, 4, tzinfo=UTC)
ASKED = Message(
    method="POST",
    path="/v1/redemptions",
    query="",
    authorization="Bearer shf_token",
    digest="sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:",
    key="0123456789abcdef",
)


def signed(message: Message = ASKED, *, by: UUID = DEVICE, route: str = "redemptions.redeem"):
    text = message.text(parameters_of(message, device_id=by, created=int(NOW.timestamp())))
    return Signed(route, by, text, KEY.sign(text))


def check(
    presented: Signed | None, *, profile: str = "till", public_key: bytes | None = RFC_PUBLIC
):
    check_signed(presented, device_id=DEVICE, public_key=public_key, profile=profile)


def test_the_signature_in_the_rfc_is_good():
    assert is_signature(RFC_SIGNATURE, of=RFC_BASE, by=RFC_PUBLIC)
    assert KEY.sign(RFC_BASE) == RFC_SIGNATURE


@pytest.mark.parametrize("at", [0, 31, 32, 63])
def test_a_signature_with_one_bit_changed_is_none(at: int):
    changed = bytes([*RFC_SIGNATURE[:at], RFC_SIGNATURE[at] ^ 1, *RFC_SIGNATURE[at + 1 :]])

    assert not is_signature(changed, of=RFC_BASE, by=RFC_PUBLIC)
    assert not is_signature(RFC_SIGNATURE[:at], of=RFC_BASE, by=RFC_PUBLIC)
    assert not is_signature(RFC_SIGNATURE, of=RFC_BASE[1:], by=RFC_PUBLIC)


@pytest.mark.parametrize("by", [bytes(32), b"\xff" * 32, b"\x01" + bytes(31)])
def test_nothing_is_signed_by_a_key_that_is_none(by: bytes):
    assert not is_signature(RFC_SIGNATURE, of=RFC_BASE, by=by)


def test_the_base_is_written_as_the_rfc_writes_it():
    parameters = parameters_of(ASKED, device_id=DEVICE, created=1_768_363_200)

    lines = ASKED.text(parameters).decode().split("\n")

    assert lines[:-1] == [
        '"@method": POST',
        '"@path": /v1/redemptions',
        '"@query": ?',
        '"authorization": Bearer shf_token',
        '"content-digest": sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:',
        '"idempotency-key": 0123456789abcdef',
    ]
    assert lines[-1] == (
        '"@signature-params": ("@method" "@path" "@query" "authorization" "content-digest"'
        ' "idempotency-key");created=1768363200;keyid="0199b5a0-0000-7000-8000-000000000001"'
        ';alg="ed25519"'
    )


def test_what_a_request_does_not_have_is_not_covered():
    bare = replace(ASKED, method="GET", query="limit=2", digest=None, key=None)

    assert bare.components == '"@method" "@path" "@query" "authorization"'
    assert b'"@query": ?limit=2\n' in bare.text("()")
    assert b"content-digest" not in bare.text("()")
    assert b"idempotency-key" not in bare.text("()")


def test_what_a_device_signed_passes():
    check(signed())


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"path": "/v1/redemptions/x"},
        {"query": "a=1"},
        {"authorization": "Bearer shf_other"},
        {"digest": "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"},
        {"key": "fedcba9876543210"},
        {"key": None},
        {"digest": None},
    ],
)
def test_nothing_that_is_covered_can_be_changed(change: dict[str, str | None]):
    good = signed()
    changed = replace(ASKED, **change)
    parameters = parameters_of(changed, device_id=DEVICE, created=int(NOW.timestamp()))

    with pytest.raises(Unauthenticated):
        check(replace(good, text=changed.text(parameters)))


def test_a_device_that_has_a_key_must_sign_by_it():
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()

    for presented in (None, Signed("redemptions.redeem"), signed(by=OTHER)):
        with pytest.raises(Unauthenticated):
            check(presented)
    with pytest.raises(Unauthenticated):
        check(signed(), public_key=other)


def test_a_device_of_before_there_were_keys_need_not_sign():
    for presented in (None, Signed("redemptions.redeem"), signed()):
        check(presented, public_key=None)


def test_a_profile_allows_its_own_routes_only():
    with pytest.raises(Forbidden):
        check(signed(), profile="screen")
    with pytest.raises(Forbidden):
        check(signed(route="shifts.close_shift"), profile="scanner")
    with pytest.raises(Forbidden):
        check(signed(route="orders.place_order"))
    with pytest.raises(Forbidden):
        check(signed(), profile="unknown")
    with pytest.raises(Forbidden):
        check(Signed("redemptions.redeem"), profile="screen", public_key=None)
    check(signed(), profile="scanner")


def test_who_did_not_sign_is_not_told_what_the_profile_allows():
    with pytest.raises(Unauthenticated):
        check(Signed("redemptions.redeem"), profile="screen")


@pytest.mark.parametrize(
    ("ahead", "fresh"), [(-61, False), (-60, True), (0, True), (10, True), (11, False)]
)
def test_a_signature_is_good_for_a_minute(ahead: int, fresh: bool):
    created = int((NOW + timedelta(seconds=ahead)).timestamp())

    assert is_fresh(created, now=NOW) is fresh
