"""The makers that app developers may copy make what the documents show and the server takes."""

import json
import re
import shutil
import subprocess
import time
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from base45 import b45decode
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from examples.qr import phone
from redemption import token

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "qr"
KNOWN = json.loads((FOLDER / "vectors.json").read_text(encoding="utf-8"))
PHONES, CAPSULES, CARDS = KNOWN["phone"], KNOWN["capsule"], KNOWN["card"]
CODES = [one["code"] for one in (*PHONES, *CAPSULES)]
DOCUMENT = (ROOT / "docs" / "qr.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.usefixtures("settings")  # the vectors are of the SECRET_KEY of the tests

MAKING = """
const all = [
  ...known.phone.map(async (one) => codeOf(one.id, await keyOf(one.seed), stepAt(one.unix_time))),
  ...known.capsule.map(async (one) =>
    shownCapsule(one.capsule, await keyOf(one.seed), stepAt(one.unix_time))),
];
const made = JSON.stringify(await Promise.all(all));
"""
NODE = shutil.which("node")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)


def in_python(_folder: Path) -> list[str]:
    phones = [
        phone.code_of(
            bytes.fromhex(one["id"]), bytes.fromhex(one["seed"]), phone.step_at(one["unix_time"])
        )
        for one in PHONES
    ]
    capsules = [
        phone.shown_capsule(
            phone.unpadded(one["capsule"]),
            bytes.fromhex(one["seed"]),
            phone.step_at(one["unix_time"]),
        )
        for one in CAPSULES
    ]
    return phones + capsules


def in_node(_folder: Path) -> list[str]:
    script = (
        'import { readFileSync } from "node:fs";'
        'import { codeOf, keyOf, shownCapsule, stepAt } from "./phone.mjs";'
        'const known = JSON.parse(readFileSync("vectors.json"));'
        f"{MAKING} console.log(made);"
    )
    run = [str(NODE), "--no-warnings", "--input-type=module", "--eval", script]
    done = subprocess.run(run, cwd=FOLDER, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def in_a_browser(folder: Path) -> list[str]:
    """The same file as a page's own script: a page from a file may not load another one."""
    maker = (FOLDER / "phone.mjs").read_text(encoding="utf-8").replace("export ", "")
    script = f"{maker} const known = {json.dumps(KNOWN)}; {MAKING} document.title = btoa(made);"
    page = folder / "page.html"
    page.write_text(f'<title></title><script type="module">{script}</script>', encoding="utf-8")
    run = [
        str(CHROMIUM),
        "--headless",
        "--no-sandbox",  # of our own page, where the tests run as root
        "--disable-gpu",
        f"--user-data-dir={folder / 'profile'}",
        "--virtual-time-budget=10000",
        "--dump-dom",
        page.as_uri(),
    ]
    done = subprocess.run(run, capture_output=True, text=True, check=True, timeout=120)
    (title,) = re.findall(r"<title>(.+?)</title>", done.stdout)
    return json.loads(b64decode(title))


# Node starts sooner; where there is none, the browser shows the same.
IN_JAVASCRIPT = [in_node] if NODE else [in_a_browser] if CHROMIUM else []
MAKERS: list[Callable[[Path], list[str]]] = [in_python, *IN_JAVASCRIPT]


@pytest.mark.parametrize("made", MAKERS)
def test_a_maker_makes_the_codes_of_the_vectors(made, tmp_path: Path):
    assert made(tmp_path) == CODES


@pytest.mark.parametrize("known", PHONES)
def test_ours_makes_the_code_of_a_phone(known):
    made = token.make(
        credential_id=bytes.fromhex(known["id"]),
        seed=bytes.fromhex(known["seed"]),
        step=token.step_at(datetime.fromtimestamp(known["unix_time"], UTC)),
    )

    assert (made, known["step"]) == (known["code"], known["unix_time"] // 15)


@pytest.mark.parametrize("known", CAPSULES)
def test_the_server_takes_the_capsule_that_a_phone_shows(known):
    code = token.parse(known["code"])

    assert code.is_genuine
    assert (code.sealed.serial.hex(), code.sealed.key_id) == (known["serial"], known["key_id"])
    assert (code.sealed.cups, code.sealed.store_group) == (known["cups"], known["store_group"])
    assert (code.sealed.ends_at.timestamp(), code.sealed.step) == (known["ends_at"], known["step"])
    token.check_fresh(code, now=datetime.fromtimestamp(known["unix_time"], UTC))


@pytest.mark.parametrize("known", CAPSULES)
def test_a_till_takes_it_apart_as_the_document_says(known):
    raw = b45decode(known["code"])
    signed, signature = raw[:17], raw[17:81]

    assert (raw[0], raw[1], raw[2:10].hex()) == (3, known["key_id"], known["serial"])
    assert (raw[10], int.from_bytes(raw[11:13], "big")) == (known["cups"], known["store_group"])
    assert int.from_bytes(raw[13:17], "big") == known["ends_at"]
    assert int.from_bytes(raw[81:85], "big") == known["step"]
    assert raw[:81] == phone.unpadded(known["capsule"])
    key = Ed25519PublicKey.from_public_bytes(phone.unpadded(known["public_key"]))
    key.verify(signature, signed)


@pytest.mark.parametrize("known", CARDS)
def test_a_card_of_the_vectors_is_ours(known):
    assert token.make_card(bytes.fromhex(known["id"])) == known["code"]


@pytest.mark.parametrize("known", [PHONES[0], CAPSULES[0], CARDS[0]])
def test_the_document_shows_the_first_of_each_vector(known):
    assert known["code"] in DOCUMENT


@pytest.mark.parametrize("known", [PHONES[0], CAPSULES[0]])
def test_the_document_says_what_they_are_made_of(known):
    told = " ".join(DOCUMENT.split())

    for name in ("seed", "unix_time", "step"):
        assert str(known[name]) in told, name


def test_the_maker_makes_the_code_of_this_moment_on_the_command_line():
    known = PHONES[0]
    before = time.time()

    made = token.parse(phone.main([token_id(known), seed_of(known)]))

    assert before // 15 <= made.step <= time.time() // 15
    assert made.is_genuine
    shown = token.parse(phone.main(["--capsule", CAPSULES[0]["capsule"], CAPSULES[0]["seed"]]))
    assert shown.is_genuine


def token_id(known) -> str:
    return str(known["id"])


def seed_of(known) -> str:
    """The seed that our server gives for this credential."""
    return token.seed_of(bytes.fromhex(known["id"])).hex()
