"""Jibei's command line: `./jibei --help`. What operators do that is no request and no job.

Exit codes: 0 all is well, 1 something was found, 2 it could not be done (one sentence says why).
"""

import kernel.loading  # before all others

# isort: split
import functools
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TextIO, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

import invoicing.proof
import redemption.offline.proof
import redemption.proof
import vouchers
import vouchers.proof
from kernel import clock
from kernel.application import bare_application
from kernel.config import ConfigError, config
from kernel.db import db
from kernel.errors import Refusal, Unavailable
from kernel.logging import configure
from kernel.transaction import again, snapshot, transaction
from ledger import export, proof, seal
from ledger.errors import PeriodInvalid
from ledger.month import Month
from ledger.proof import CHECKS, Found
from ledger.service import fold

_REGISTERED = (
    invoicing.proof,
    redemption.offline.proof,
    redemption.proof,
    vouchers.proof,
)  # importing a room's checks registers them
_CANNOT = 2
_FOUND = 1
_STOPPED = 130

Command = TypeVar("Command", bound=Callable[..., None])


def main() -> NoReturn:
    """Run the command line as `jibei`, whatever file it was started from."""
    kernel.loading.loaded()
    jibei(prog_name="jibei")
    sys.exit(0)


@click.group()
def jibei() -> None:
    """Operate Jibei: check, seal, export and repair the books."""


@jibei.group()
def books() -> None:
    """The books: prove them, seal them, export them."""


def in_application(command: Command) -> Command:
    """Give a command the configured database; what goes wrong is one sentence and exit code 2."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            settings = config()
            configure(settings.mode)
            with bare_application().app_context():
                try:
                    command(*arguments, **options)
                finally:
                    db.engine.dispose()
        except ConfigError as problem:
            _fail(str(problem))
        except Unavailable:
            _fail("The database cannot be reached, or cannot answer now.")
        except Refusal as refusal:
            _fail(f"Not possible: {refusal.code} {_told(refusal.facts)}".rstrip())
        except BrokenPipeError:  # whoever reads has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    return run  # type: ignore[return-value]  # the same parameters, which click reads


class MonthType(click.ParamType[Month]):
    """A month that has begun, as 2026-01."""

    name = "month"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Month:
        if isinstance(value, Month):
            return value
        try:
            return Month.parse(str(value), today_on=clock.now().date())
        except PeriodInvalid:
            self.fail(f"{value} is no month that has begun: give one as 2026-01", param, ctx)


MONTH = MonthType()


@books.command()
@click.option("--resume", is_flag=True, help="Go on with the latest check that was stopped.")
@click.option("--month", type=MONTH, help="Check the sums of one month only, as 2026-01.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON, one finding a line.")
@in_application
def check(*, resume: bool, month: Month | None, as_json: bool) -> None:
    """Check everything that must always be true of the books.

    Trade may go on meanwhile. A check that is stopped goes on with --resume where it was. Exit
    code 1 says that something was found.
    """
    if month is not None:
        if resume:
            raise click.UsageError("--month checks one month at once: there is nothing to resume.")
        with snapshot():
            found = proof.check_all_of(month)
        _tell(found, as_json=as_json)
        _end(len(found), checked=None, as_json=as_json)
    with transaction():
        try:
            check_id = proof.resume() if resume else proof.begin(now=clock.now())
        except proof.NothingToResume:
            _fail("No check was stopped half way: start one without --resume.")
    findings = checked = 0
    try:
        with _progress() as show:
            for step in proof.go_on(check_id):
                show(step.label, step.checked, step.estimate)
                _tell(step.found, as_json=as_json)
                findings, checked = step.findings, step.checked
    except proof.TakenOver:
        _fail("Another process goes on with this check.")
    except KeyboardInterrupt:
        again(lambda: proof.release(check_id))
        click.echo("Stopped. A worker goes on with it; or: jibei books check --resume", err=True)
        sys.exit(_STOPPED)
    _end(findings, checked=checked, as_json=as_json)


@books.command()
@click.option("--json", "as_json", is_flag=True, help="Write JSON, one finding a line.")
@in_application
def findings(*, as_json: bool) -> None:
    """Show what the latest check of the books has found."""
    with snapshot():
        latest = proof.latest()
        if latest is None:
            _fail("The books were never checked: start with jibei books check.")
        _tell(proof.findings_of(latest.id), as_json=as_json)
    _end(latest.findings, checked=latest.checked, as_json=as_json)


@books.command("verify-seal")
@click.option(
    "--heads",
    type=click.File(encoding="utf-8"),
    help="The heads that were kept outside, a line each; - for standard input.",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON, one finding a line.")
@in_application
def verify_seal(*, heads: TextIO | None, as_json: bool) -> None:
    """Find any entry or line that was changed, taken out or put in since it was sealed.

    The chain is recomputed over what the rows say now. Somebody who rewrites the whole chain is
    found with --heads only: by the daily heads that were kept where they cannot be rewritten.
    """
    try:
        outside = list(seal.parse_all(heads or ()))
    except seal.HeadUnreadable as problem:
        _fail(str(problem))
    count = rows = 0
    first: Found | None = None
    with _progress() as show:
        for step in seal.verify(outside):
            rows += step.rows
            show(step.label, rows, step.estimate)
            _tell(step.found, as_json=as_json)
            count += len(step.found)
            first = first or next(iter(step.found), None)
    if first is not None and not as_json:
        click.echo(f"The first that is wrong: {_told(first.facts)}")
    _end(count, checked=rows, as_json=as_json)


@books.command("fold")
@in_application
def fold_now() -> None:
    """Sum and seal now what waits for it, as the worker does all the time."""
    folded = 0
    with _progress() as show:
        while some := again(_fold_some):
            folded += some
            show("entries", folded, 0)
    click.echo(f"{folded} entries were summed and sealed.")


@books.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@in_application
def rebuild(*, yes: bool) -> None:
    """Compute all roll-ups anew from the lines. Reports wait for it; trade goes on."""
    if not yes:
        click.confirm("Compute all roll-ups anew from the lines?", abort=True)
    with Console(stderr=True).status("computing the roll-ups from the lines"):
        again(_rebuild)
    click.echo("The roll-ups are computed anew. Prove them with: jibei books check")


@books.command("export")
@click.argument("month", type=MONTH)
@click.option(
    "--format", "form", type=click.Choice(sorted(export.FORMS)), required=True, help="For whom."
)
@click.option(
    "--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="A file; else printed."
)
@click.option("--provisional", is_flag=True, help="Also a month that is not closed yet.")
@in_application
def export_month(*, month: Month, form: str, output: Path | None, provisional: bool) -> None:
    """Write the journal of a month, with its balances, for a tool that is not ours.

    bean-check and hledger prove beancount and hledger files by themselves; csv is for the
    accountants' own system, under their codes.
    """
    with _opened(output) as out, snapshot(), _progress() as show:
        export.write(
            month=month,
            form=form,
            out=out,
            offers=vouchers.list_offer_codes(),
            is_provisional=provisional,
            progress=lambda done, days: show("days", done, days),
        )


def _fold_some() -> int:
    with transaction():
        return fold.fold_some()


def _rebuild() -> None:
    with transaction():
        fold.rebuild()


@contextmanager
def _opened(path: Path | None) -> Iterator[TextIO]:
    """A file that is there whole or not at all; without a path, standard output."""
    if path is None:
        with io.TextIOWrapper(
            os.fdopen(os.dup(sys.stdout.fileno()), "wb"), encoding="utf-8", newline=""
        ) as out:
            yield out
        return
    making = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with making.open("w", encoding="utf-8", newline="") as file:
            yield file
        making.replace(path)
    except OSError as problem:
        _fail(f"{path} cannot be written: {problem.strerror}.")
    finally:
        making.unlink(missing_ok=True)


Show = Callable[[str, int, int], None]


@contextmanager
def _progress() -> Iterator[Show]:
    """How far it is: a line that moves where somebody looks on, else a plain line now and then."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _plain_lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def show(label: str, done: int, whole: int) -> None:
            bar.update(task, description=label, completed=done, total=max(done, whole) or None)

        yield show


def _plain_lines() -> Show:
    last = ""

    def show(label: str, done: int, whole: int) -> None:
        nonlocal last
        kind = label.partition(" ")[0]
        if kind != last:
            click.echo(f"{label}: {done:,} of about {max(done, whole):,} rows", err=True)
            last = kind

    return show


def _tell(found: Any, *, as_json: bool) -> None:
    for one in found:
        if as_json:
            click.echo(json.dumps({"invariant": one.invariant, "facts": one.facts}))
        else:
            click.echo(f"{one.invariant}: {_told(one.facts)}{_says(one.invariant)}")


def _says(name: str) -> str:
    return f"\n    must be: {CHECKS[name].says}" if name in CHECKS else ""


def _told(facts: dict[str, Any]) -> str:
    return ", ".join(f"{name} {fact}" for name, fact in facts.items())


def _end(findings: int, *, checked: int | None, as_json: bool) -> NoReturn:
    if as_json:
        click.echo(json.dumps({"checked": checked, "findings": findings}))
    else:
        looked = "" if checked is None else f" {checked:,} rows were looked at."
        what = f"{findings:,} findings." if findings else "Everything holds."
        click.echo(f"{what}{looked}")
    sys.exit(_FOUND if findings else 0)


def _fail(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(_CANNOT)


if __name__ == "__main__":
    main()
