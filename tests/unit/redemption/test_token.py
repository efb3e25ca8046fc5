"""What makes a token good, and that nothing else is one."""

from datetime import UTC, datetime, timedelta

import pytest
from base45 import b45decode, b45encode
from hypothesis import given
from hypothesis import strategies as st

from kernel.spoken import find_code
from redemption import token
from redemption.errors import TokenExpired, TokenInvalid

NOW = datetime(2026, 1, 14, 4, tzinfo=UTC)
CREDENTIAL = bytes(range(8))


pytestmark = pytest.mark.usefixtures("settings")  # seeds are derived from SECRET_KEY


def made(step: int = 0, credential: bytes = CREDENTIAL) -> str:
    return token.make(
        credential_id=credential,
        seed=token.seed_of(credential),
        step=token.step_at(NOW) + step,
    )


def test_a_token_has_28_bytes_and_42_signs():
    assert len(b45decode(made())) == 28
    assert len(made()) == 42


def test_a_made_token_is_genuine_and_names_its_credential_and_step():
    parsed = token.parse(made())
    assert parsed == token.Code("phone", CREDENTIAL, token.step_at(NOW), is_genuine=True)


@pytest.mark.parametrize("step", [-3, -2, -1, 0, 1])
def test_steps_from_three_before_to_one_ahead_are_fresh(step):
    token.check_fresh(token.parse(made(step)), now=NOW)


def test_an_older_step_is_expired_and_a_later_one_is_no_token_yet():
    with pytest.raises(TokenExpired):
        token.check_fresh(token.parse(made(-4)), now=NOW)
    with pytest.raises(TokenInvalid):
        token.check_fresh(token.parse(made(2)), now=NOW)


def test_a_screenshot_is_expired_after_a_minute():
    with pytest.raises(TokenExpired):
        token.check_fresh(token.parse(made()), now=NOW + timedelta(seconds=60))


@given(position=st.integers(0, 27), flip=st.integers(1, 255))
def test_any_changed_byte_makes_it_no_token(position, flip):
    raw = bytearray(b45decode(made()))
    raw[position] ^= flip
    parsed = token.parse(b45encode(bytes(raw)).decode())
    assert parsed is None or not parsed.is_genuine


@given(text=st.text(max_size=60).filter(lambda text: find_code(text) is None))
def test_garbage_has_not_the_form_of_a_token(text):
    assert token.parse(text) is None


def test_a_known_token_is_made_as_the_documents_describe_it():
    """A fixed vector, so that an app developer's maker can be held against ours."""
    seed = bytes(range(32))
    assert token.make(credential_id=CREDENTIAL, seed=seed, step=118_000_000) == VECTOR


VECTOR = "V50X507H0QS0:*0P31.9GQD5AGPDS62/N-.KI$H.KR"
