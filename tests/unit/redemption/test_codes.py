"""What makes a card, a spoken code and a capsule good, and that nothing else is one."""

from datetime import UTC, datetime, timedelta

import pytest
import segno
from base45 import b45decode, b45encode
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from kernel import spoken
from redemption import token
from redemption.errors import TokenExpired, TokenInvalid
from redemption.token.capsule_keys import WINDOW_S

NOW = datetime(2026, 1, 14, 4, tzinfo=UTC)
CREDENTIAL = bytes(range(8))
SERIAL = bytes(range(8, 16))

pytestmark = pytest.mark.usefixtures("settings")  # keys are derived from SECRET_KEY


def capsule(*, issued_at: datetime = NOW, good_for: timedelta = timedelta(hours=24)) -> bytes:
    return token.make_capsule(
        serial=SERIAL, cups=2, store_group=513, issued_at=issued_at, ends_at=issued_at + good_for
    )


def shown(at: datetime = NOW, *, of: bytes | None = None) -> str:
    return token.show_capsule(
        capsule=of or capsule(), seed=token.capsule_seed(SERIAL), step=token.step_at(at)
    )


def changed(text: str, position: int, flip: int) -> str:
    raw = bytearray(b45decode(text))
    raw[position] ^= flip
    return b45encode(bytes(raw)).decode()


# Cards


def test_a_card_names_its_credential_and_no_step():
    card = token.make_card(CREDENTIAL)

    assert token.parse(card) == token.Code("card", CREDENTIAL, None, is_genuine=True)
    assert (len(b45decode(card)), len(card)) == (24, 36)


def test_a_card_stays_fresh():
    code = token.parse(token.make_card(CREDENTIAL))

    token.check_fresh(code, now=NOW + timedelta(days=400))


@given(position=st.integers(0, 23), flip=st.integers(1, 255))
def test_any_changed_byte_makes_it_no_card(position: int, flip: int):
    parsed = token.parse(changed(token.make_card(CREDENTIAL), position, flip))

    assert parsed is None or not parsed.is_genuine


def test_a_phone_s_seed_makes_no_card():
    """Whoever can read a phone's seed shows codes for a day, and not for a year."""
    import hmac  # noqa: PLC0415  as whoever forges one does

    signed = b"\x02" + CREDENTIAL
    forged = b45encode(signed + hmac.digest(token.seed_of(CREDENTIAL), signed, "sha256")[:15])

    assert not token.parse(forged.decode()).is_genuine


# Codes that are read aloud


@pytest.mark.parametrize(
    "typed",
    [
        "7GK2PM4X",
        "7gk2pm4x",
        "7GK2-PM4X",
        " 7gk2 pm4x ",
        "7-G-K-2PM4X",
        "７ＧＫ２　ｐｍ４ｘ",
        "7GK2－PM4X",
    ],
)
def test_a_spoken_code_is_the_same_however_it_is_typed(typed: str):
    assert token.parse(typed) == token.Code(
        "code", token.id_of_spoken("7GK2PM4X"), 0, is_genuine=True
    )


@pytest.mark.parametrize("typed", ["7GK2PM4", "7GK2PM4XX", "7GK2PM40", "7GK2PM4O", "7GK2PM4１", ""])
def test_what_has_not_eight_of_its_signs_is_no_spoken_code(typed: str):
    assert token.parse(typed) is None


def test_new_codes_have_the_form_of_one_and_differ():
    made = {spoken.new_code() for _ in range(50)}

    assert len(made) == 50
    assert all(spoken.find_code(code) == code for code in made)


def test_the_id_of_a_spoken_code_tells_nothing_without_the_key(monkeypatch):
    ours = token.id_of_spoken("7GK2PM4X")
    from kernel import secrets  # noqa: PLC0415  as another installation has it
    from kernel.config import config  # noqa: PLC0415

    monkeypatch.setenv("SECRET_KEY", "6f" * 32)
    config.cache_clear()
    secrets.key_for.cache_clear()
    try:
        assert token.id_of_spoken("7GK2PM4X") != ours
    finally:
        secrets.key_for.cache_clear()


# Capsules


def test_a_capsule_says_what_it_is_good_for():
    code = token.parse(shown())

    assert code == token.Code(
        "capsule",
        SERIAL,
        None,
        is_genuine=True,
        sealed=token.Sealed(
            serial=SERIAL,
            key_id=token.id_of_window(token.window_at(NOW)),
            cups=2,
            store_group=513,
            ends_at=NOW + timedelta(hours=24),
            step=token.step_at(NOW),
        ),
    )
    assert (len(capsule()), len(b45decode(shown())), len(shown())) == (81, 93, 140)


def test_a_till_checks_a_capsule_with_a_published_key_alone():
    made = capsule()
    key = {one.id: one.public_key for one in token.list_capsule_keys(now=NOW)}[made[1]]

    Ed25519PublicKey.from_public_bytes(key).verify(made[17:], made[:17])
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(key).verify(made[17:], made[:10] + b"\x09" + made[11:17])


@given(position=st.integers(0, 92), flip=st.integers(1, 255))
def test_any_changed_byte_makes_it_no_capsule(position: int, flip: int):
    parsed = token.parse(changed(shown(), position, flip))

    assert parsed is None or not parsed.is_genuine


def test_a_phone_cannot_make_its_capsule_worth_more():
    """It has the seed, so its MAC would fit; the chain's signature does not."""
    made = capsule()
    more = made[:10] + b"\x09" + made[11:]

    parsed = token.parse(shown(of=more))

    assert (parsed.sealed.cups, parsed.is_genuine) == (9, False)


def test_a_capsule_is_shown_anew_in_each_step_and_over_at_its_end():
    code = token.parse(shown())
    token.check_fresh(code, now=NOW)
    with pytest.raises(TokenExpired):
        token.check_fresh(code, now=NOW + timedelta(seconds=60))

    later = NOW + timedelta(hours=24)
    with pytest.raises(TokenExpired):
        token.check_fresh(token.parse(shown(later)), now=later)


def test_a_capsule_from_the_future_is_no_code_yet():
    with pytest.raises(TokenInvalid):
        token.check_fresh(token.parse(shown(NOW + timedelta(seconds=30))), now=NOW)


@pytest.mark.parametrize("before", [timedelta(0), timedelta(seconds=1), timedelta(hours=23)])
def test_a_capsule_outlives_the_window_of_its_key(before: timedelta):
    window = token.window_at(NOW) + 1
    issued_at = datetime.fromtimestamp(window * WINDOW_S, UTC) - before

    made = capsule(issued_at=issued_at)

    assert made[1] == token.id_of_window(token.window_at(issued_at))
    assert token.parse(shown(of=made)).is_genuine


def test_the_keys_of_three_windows_are_published_and_all_differ():
    last, this, following = token.list_capsule_keys(now=NOW)

    assert last.ends_at == this.starts_at <= NOW < this.ends_at == following.starts_at
    assert following.ends_at - last.starts_at == timedelta(days=270)
    assert len({last.public_key, this.public_key, following.public_key}) == 3
    assert token.list_capsule_keys(now=this.ends_at)[:2] == [this, following]


# All


@pytest.mark.parametrize(
    ("text", "version"),
    [
        (token.make(credential_id=CREDENTIAL, seed=bytes(32), step=118_000_000), 3),
        (None, 2),
        ("capsule", 6),
        ("7GK2PM4X", 1),
    ],
)
def test_a_code_fits_into_the_smallest_qr_that_is_documented(text: str | None, version: int):
    of = {None: lambda: token.make_card(CREDENTIAL), "capsule": shown}
    code = of[text]() if text in of else text

    drawn = segno.make(code, error="m", micro=False, boost_error=False)

    assert (drawn.version, drawn.error, drawn.mode) == (version, "M", "alphanumeric")


@pytest.mark.parametrize("kind", ["phone", "card", "capsule"])
def test_a_code_of_one_kind_is_none_of_another(kind: str):
    made = {
        "phone": token.make(
            credential_id=CREDENTIAL, seed=token.seed_of(CREDENTIAL), step=token.step_at(NOW)
        ),
        "card": token.make_card(CREDENTIAL),
        "capsule": shown(),
    }
    raw = b45decode(made[kind])

    for version in {b"\x01", b"\x02", b"\x03"} - {raw[:1]}:
        assert token.parse(b45encode(version + raw[1:]).decode()) is None
    assert token.parse(made[kind]).kind == kind
