"""Load the sample chain, once, and say how to sign in to it: `python -m dev.sample`.

Stores A, B, C and the online store W, products, packs and plans, the chart of accounts, and
staff with freshly made secrets, which are kept in .jibei/sample_sign_ins.json (or SAMPLE_FILE)
for this user only. What is there already stays as it is. The database must be migrated.
"""

import argparse
import os
import sys
from datetime import datetime

import pyotp
from sqlalchemy.exc import ProgrammingError

from dev import home
from dev.given import FIRST_PORT
from dev.sample_rows import (
    load_invoice_ranges,
    load_offers,
    load_products,
    load_stores,
    read_chain,
)
from dev.sample_staff import SignIn, load_staff, read_sign_ins, sign_ins_path
from kernel import clock
from kernel.application import bare_application
from kernel.config import ConfigError, config
from kernel.errors import Unavailable
from kernel.transaction import transaction
from ledger import install_chart


def main() -> int:
    """The exit code is 1, with a sentence, if the chain cannot be loaded."""
    asked = _arguments()
    if asked.totp:
        return _print_code(asked.totp)
    if asked.show:
        print(what_to_try(read_sign_ins(), url=_address()))
        return 0
    try:
        _load_into_database()
        print(what_to_try(read_sign_ins(), url=config().public_origin))
    except ConfigError as problem:
        return _sorry(str(problem))
    except Unavailable:
        return _sorry("The database at DATABASE_URL cannot be reached: start it and try again.")
    except ProgrammingError as problem:
        if getattr(problem.orig, "sqlstate", None) != _NO_SUCH_TABLE:
            raise
        return _sorry("The database has not all its tables: migrate it first.")
    return 0


def load(*, now: datetime) -> None:
    """Add what the database lacks of the sample chain, in the open transaction."""
    chain = read_chain()
    install_chart()
    load_stores(chain)
    load_products(chain)
    load_staff(chain)
    load_offers(chain, now=now)
    load_invoice_ranges(chain, now=now)


def what_to_try(sign_ins: list[SignIn], *, url: str) -> str:
    """The sign-ins, and the first things to do with them."""
    if not sign_ins:
        return (
            f"There are no sign-ins in {sign_ins_path()}: run `make up` here first, or look into "
            f"the checkout that loaded this chain."
        )
    people = "\n".join(_line(person) for person in sign_ins)
    return _TRY.format(people=people, url=url, file=sign_ins_path())


_NO_SUCH_TABLE = "42P01"

_TRY = """\
Staff of the sample chain (kept in {file})
{people}

One-time codes of the desk, by the clock of this checkout
  .venv/bin/python -m dev.sample --totp 4001

What to try
  {url}/docs            every route, to read and to call
  make tour             the main job as a story: buy, redeem at A, B and C, renew, report
  A shopper signs in with any Taiwanese mobile number; the code is printed by the worker:
    curl {url}/v1/sign-in/challenges -H 'Content-Type: application/json' \\
      -d '{{"phone": "0912345678"}}'
    curl {url}/v1/sessions -H 'Content-Type: application/json' \\
      -d '{{"challenge_id": "…", "code": "…", "transport": "bearer"}}'"""


def _line(person: SignIn) -> str:
    names = (("pin", "PIN"), ("password", "password"), ("totp_secret", "TOTP secret"))
    told = "   ".join(f"{label} {person[name]}" for name, label in names if name in person)
    at = f" at {', '.join(person['stores'])}" if person["stores"] else ""
    return f"  {person['number']}  {person['name'] + at:<20} {told}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m dev.sample",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--show", action="store_true", help="print the sign-ins, load nothing")
    parser.add_argument("--totp", metavar="NUMBER", help="print a staff number's one-time code")
    return parser.parse_args()


def _load_into_database() -> None:
    if not config().is_development:
        raise ConfigError("The sample chain is for development: set JIBEI_MODE=development.")
    with bare_application().app_context(), transaction():
        load(now=clock.now())


def _address() -> str:
    """Where this checkout answers, or would by default."""
    running = home.what_runs()
    return str(running["url"]) if running else f"http://127.0.0.1:{FIRST_PORT}"


def _print_code(number: str) -> int:
    """Print a one-time code by the clock of `make up`, which may have been moved forward."""
    os.environ.setdefault("CLOCK_FILE", str(home.HOME / "clock"))
    for person in read_sign_ins():
        if person["number"] == number and "totp_secret" in person:
            print(pyotp.TOTP(person["totp_secret"]).at(clock.now()))
            return 0
    return _sorry(f"{sign_ins_path()} has no one-time codes of {number}.")


def _sorry(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
