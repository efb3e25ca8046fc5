"""What is an item of a log and what is none; what is told of each reason."""

import hashlib
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.offline_words import told
from examples.offline.till import Log
from redemption.models import REMEDIES
from redemption.offline import ALL_REASONS, allowed_for, log
from redemption.offline.log import NotAnItem

AT = datetime(2026, 1, 14, 4, 0, 0, 5, tzinfo=UTC)
SAID = {
    "device_id": UUID(int=1),
    "number": 7,
    "previous_hash": bytes(range(32)),
    "capsule": "3S D:/*",
    "product_id": UUID(int=2),
    "cups": 2,
    "staff_id": UUID(int=3),
    "at": AT,
    "top_up": 0,
}


def changed(**said) -> str:
    return json.dumps({**json.loads(log.write(**SAID)), **said})


def test_an_item_says_what_was_written():
    item = log.read(log.write(**SAID))
    assert {name: getattr(item, name) for name in SAID} == SAID


def test_the_hash_is_of_the_text_as_it_stands():
    spaced = changed()
    assert log.read(spaced).hash == hashlib.sha256(spaced.encode()).digest()
    assert log.read(spaced).hash != log.read(log.write(**SAID)).hash


def test_the_reference_till_writes_what_we_would():
    theirs = Log(str(UUID(int=1)), Ed25519PrivateKey.generate(), 6, bytes(range(32)).hex())
    line = theirs.write(
        capsule="3S D:/*", cups=2, product=str(UUID(int=2)), staff=str(UUID(int=3)), at=AT
    )
    assert line["item"] == log.write(**SAID)
    assert theirs.last_hash == log.read(line["item"]).hash.hex()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "1e999",
        "[" * 1500,
        changed(v=2),
        changed(number=0),
        changed(number=2**53),
        changed(number=True),
        changed(cups=0),
        changed(cups=1.0),
        changed(cups="1"),
        changed(cups=101),
        changed(top_up=-1),
        changed(device="1"),
        changed(device=str(UUID(int=1)).replace("-", "")),
        changed(previous="0" * 63),
        changed(previous="A" * 64),
        changed(capsule=None),
        changed(at="2026-01-14T04:00:00"),
        changed(at="2026-01-14T04:00:00+08:00"),
        changed(at="2026-02-30T04:00:00Z"),
        changed(at="0001-01-01T00:00:00Z"),
        changed(extra=1),
        changed(device_id=str(UUID(int=1))),
        log.write(**SAID).replace('"device":', '"device_id":'),
        changed(capsule="x" * 1000),
        log.write(**SAID).replace('"v":1', '"v":1,"v":1'),
        log.write(**SAID).replace('"top_up":0,', ""),
    ],
)
def test_what_is_no_item_is_told_from_one(text: str):
    with pytest.raises(NotAnItem):
        log.read(text)


@pytest.mark.parametrize("reason", ALL_REASONS)
def test_every_reason_has_a_cause_and_an_advice_in_both_languages(reason: str):
    for language in ("en", "zh-TW"):
        assert all(told(reason, language))
    assert told(reason, "en") != told(reason, "zh-TW")


@pytest.mark.parametrize("reason", ALL_REASONS)
def test_every_reason_can_be_resolved(reason: str):
    assert "borne" in allowed_for(reason)
    assert set(allowed_for(reason)) <= set(REMEDIES)
