"""The token of a gift: made of its id, and of nothing that somebody could make up."""

from base64 import urlsafe_b64encode
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.ids import new_id
from vouchers import gift_token

LENGTH = 43

pytestmark = pytest.mark.usefixtures("settings")


@given(st.uuids())
def test_a_token_leads_to_its_gift_and_goes_into_an_address_as_it_is(gift_id):
    token = gift_token.make(gift_id)
    assert gift_token.find_id(token) == gift_id
    assert len(token) == LENGTH
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(st.text(max_size=60))
def test_made_up_text_is_no_token(text):
    assert gift_token.find_id(text) is None


@given(st.uuids(), st.integers(0, LENGTH - 1), st.sampled_from("AQgw-_9z="))
def test_another_sign_anywhere_makes_it_none(gift_id, at, sign):
    token = gift_token.make(gift_id)
    changed = token[:at] + sign + token[at + 1 :]
    assert gift_token.find_id(changed) == (gift_id if changed == token else None)


def test_the_same_bytes_spelt_otherwise_are_no_token():
    token = gift_token.make(new_id())
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    others = [token[:-1] + sign for sign in last if sign != token[-1]]
    assert [gift_token.find_id(other) for other in others] == [None] * len(others)
    assert gift_token.find_id(token + "=") is None
    assert gift_token.find_id(f" {token}") is None


def test_an_id_with_a_guessed_mac_is_none():
    gift_id = UUID(int=7)
    guessed = urlsafe_b64encode(gift_id.bytes + bytes(16)).rstrip(b"=").decode()
    assert len(guessed) == LENGTH
    assert gift_token.find_id(guessed) is None


def test_under_another_secret_the_token_is_none(monkeypatch):
    from kernel import secrets  # noqa: PLC0415
    from kernel.config import config  # noqa: PLC0415

    token = gift_token.make(new_id())
    monkeypatch.setenv("SECRET_KEY", "7a" * 32)
    for kept in (config, secrets.key_for):
        kept.cache_clear()
    try:
        assert gift_token.find_id(token) is None
    finally:
        monkeypatch.undo()
        for kept in (config, secrets.key_for):
            kept.cache_clear()
