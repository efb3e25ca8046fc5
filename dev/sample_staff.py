"""The sample chain's staff, and the file that keeps what they sign in with."""

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyotp
from sqlalchemy import select

from chain.models import Staff, StaffStore, Store
from chain.service.staff import seal_totp
from dev.home import HOME
from dev.sample_rows import by_code
from kernel.db import db
from kernel.embedded.folders import write_closed
from kernel.ids import new_id
from kernel.secrets import slow_hash

SignIn = dict[str, Any]

_AT_TILLS = ("clerk", "manager")
_AT_DESKS = ("manager", "finance", "admin")


def sign_ins_path() -> Path:
    """Where the sign-ins are kept: SAMPLE_FILE, or .jibei/sample_sign_ins.json."""
    return Path(os.environ.get("SAMPLE_FILE") or HOME / "sample_sign_ins.json")


def read_sign_ins() -> list[SignIn]:
    """What the staff sign in with; nothing if the file is not there."""
    try:
        kept: list[SignIn] = json.loads(sign_ins_path().read_text(encoding="utf-8"))["staff"]
    except FileNotFoundError:
        return []
    return kept


def load_staff(chain: Mapping[str, Any]) -> None:
    """Add staff, each with fresh secrets, and write those down for their owner alone.

    They are written before the rows are committed: a crash between leaves secrets of nobody,
    which the next run replaces, and never somebody whose secrets are lost.
    """
    known = set(db.session.scalars(select(Staff.number)))
    fresh = [_fresh(person) for person in chain["staff"] if person["number"] not in known]
    if not fresh:
        return
    made = {person["number"] for person in fresh}
    kept = [person for person in read_sign_ins() if person["number"] in known - made]
    everybody = sorted([*kept, *fresh], key=lambda person: str(person["number"]))
    path = sign_ins_path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_closed(path, json.dumps({"staff": everybody}, ensure_ascii=False, indent=2))
    stores = by_code(Store)
    for person in fresh:
        _add(person, stores=stores)


def _fresh(person: Mapping[str, Any]) -> SignIn:
    sign_in: SignIn = dict(person)
    if person["role"] in _AT_TILLS:
        sign_in["pin"] = f"{secrets.randbelow(1_000_000):06d}"
    if person["role"] in _AT_DESKS:
        sign_in["password"] = secrets.token_urlsafe(12)
        sign_in["totp_secret"] = pyotp.random_base32()
    return sign_in


def _add(person: SignIn, *, stores: Mapping[str, Store]) -> None:
    pin, password, totp = (person.get(name) for name in ("pin", "password", "totp_secret"))
    staff = Staff(
        id=new_id(),
        number=person["number"],
        name=person["name"],
        role=person["role"],
        pin_hash=slow_hash(pin) if pin else None,
        password_hash=slow_hash(password) if password else None,
        totp_sealed=seal_totp(totp) if totp else None,
    )
    db.session.add(staff)
    db.session.flush()
    for code in person["stores"]:
        db.session.add(StaffStore(staff_id=staff.id, store_id=stores[code].id))
