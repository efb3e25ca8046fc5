"""Run all of Jibei on this machine until Ctrl-C: `make up`, or `python -m dev.up`.

Embedded PostgreSQL and Valkey, the sandbox payment provider, and the processes of the Procfile.
Everything it makes is kept in .jibei/ and found again by the next start.

environment:
  PORT             where the web answers (8000, or the next free port)
  DATABASE_URL     use this PostgreSQL instead of the embedded one; tables are made through
                   DATABASE_OWNER_URL when that is given too
  REDIS_URL        use this Redis or Valkey instead of the embedded one
  STRIPE_API_KEY   use Stripe (a test key) instead of the sandbox; STRIPE_WEBHOOK_SECRET is needed
                   too, and STRIPE_API_BASE may name another address that speaks as Stripe does
  SECRET_KEY       seal personal data under this key instead of a generated one
"""

import argparse
import os
import sys
import time
from contextlib import ExitStack
from functools import partial
from typing import Any, NoReturn

from dev import environment, home, life, steps
from dev.engines import Engine
from dev.given import Given, given
from dev.home import CHECKOUT, HOME, Secrets
from dev.processes import Processes, commands
from kernel.embedded import CannotStart, ports, running_postgres, running_valkey
from kernel.embedded.errors import in_sentences
from kernel.embedded.folders import closed

_SECONDS_OF_A_GOOD_START = 5.0
_ANSWERING = {"sandbox", "web"}


def main() -> int:
    """Run until interrupted; the exit code is 1 when that was not possible, with a sentence."""
    argparse.ArgumentParser(
        prog="python -m dev.up",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    life.interrupt_once()
    life.adopt_orphans()
    try:
        with in_sentences(HOME), home.only_one(), ExitStack() as stack:
            stack.callback(life.end_descendants)
            home.check_clock()
            _run(stack, taken=given(os.environ), kept=home.kept_secrets())
    except CannotStart as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    except KeyboardInterrupt:
        steps.say("stopped")
        return 0


def _run(stack: ExitStack, *, taken: Given, kept: Secrets) -> NoReturn:
    """1. engines, 2. tables, 3. the web, and the sample chain meanwhile, 4. workers, 5. keep up.

    The workers come last, so that the web has the processor to itself until it answers.
    """
    ours = environment.of_application(taken, kept)
    engines, owner, are_tables_current = _start_engines(stack, ours, taken)
    procfile = _choose_provider(ours, taken, kept)
    ours |= environment.of_stream(port=_kept_port("stream"))
    everything = environment.inherited(os.environ) | ours
    if not are_tables_current:
        steps.migrate(everything | owner)

    processes = Processes(procfile, environment=everything, folder=CHECKOUT)
    stack.callback(processes.stop, {"sandbox"})  # last, since the others call it
    stack.callback(processes.stop, procfile.keys() - {"sandbox"})
    stack.callback(steps.say, "stopping")
    for name in sorted(procfile.keys() & _ANSWERING):
        processes.start(name)
    what_to_try = steps.load_sample(everything | owner)
    steps.wait_until_ready(processes, port=taken.port)
    for name in procfile.keys() - _ANSWERING:
        processes.start(name)

    home.announce(url=ours["PUBLIC_ORIGIN"], environment=ours | owner)
    print(f"\nready {ours['PUBLIC_ORIGIN']}\n\n{what_to_try}", flush=True)
    _keep_up(engines, processes)


def _start_engines(
    stack: ExitStack, ours: dict[str, str], taken: Given
) -> tuple[list[Engine[Any]], dict[str, str], bool]:
    """Start what was not given, and put both addresses into `ours`.

    Answers what to keep up, the address for the owner of the tables, which only migrations get,
    and whether the tables are known to be current.
    """
    engines: list[Engine[Any]] = []
    postgres = valkey = None
    if taken.database_url is None:
        database = Engine("PostgreSQL", partial(running_postgres, HOME / "postgres"))
        engines.append(database)
        stack.callback(database.stop)
        postgres = database.start()
        steps.say(f"PostgreSQL on 127.0.0.1:{postgres.port}")
    if taken.redis_url is None:
        queue = Engine("Valkey", partial(running_valkey, HOME / "valkey"))
        engines.append(queue)
        stack.callback(queue.stop)
        valkey = queue.start()
        steps.say(f"Valkey on 127.0.0.1:{valkey.port}")
    ours |= environment.of_database(postgres, taken) | environment.of_queue(valkey, taken)
    owner = environment.of_migrations(postgres, taken)
    return engines, owner, postgres is not None and steps.are_tables_current(postgres)


def _choose_provider(ours: dict[str, str], taken: Given, kept: Secrets) -> dict[str, str]:
    """Put the provider's settings into `ours`; answer the processes, with the sandbox or not."""
    procfile = commands(CHECKOUT / "Procfile")
    if taken.stripe_api_key is not None:
        del procfile["sandbox"]
        ours |= environment.of_provider(taken)
        return procfile
    port = _kept_port("sandbox")
    ours |= environment.of_sandbox(kept, sandbox_port=port, web_port=taken.port)
    return procfile


def _kept_port(name: str) -> int:
    """The port that a process had at the last start, if it is free still."""
    folder = closed(HOME / name)
    port = ports.choose(folder)
    ports.remember(folder, port=port)
    return port


def _keep_up(engines: list[Engine[Any]], processes: Processes) -> NoReturn:
    """Start again what somebody kills. What ends right after its start has a fault of its own."""
    started_again: dict[str, float] = {}
    while True:
        time.sleep(0.5)
        for engine in engines:
            if engine.start_again_if_ended():
                steps.say(f"{engine.name} had ended and was started again")
        for name, code in processes.ended().items():
            if time.monotonic() - started_again.get(name, -60.0) < _SECONDS_OF_A_GOOD_START:
                raise CannotStart(f"{name} ended with code {code}, twice: its lines are above.")
            started_again[name] = time.monotonic()
            steps.say(f"{name} had ended with code {code} and is started again")
            processes.start(name)
        life.bury(processes.pids() | {engine.server.pid for engine in engines})


if __name__ == "__main__":
    sys.exit(main())
