"""`plan` and `apply`: see a whole batch before it happens, then do exactly that."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncjob import __version__
from syncjob.cli.batch import as_day, creates_option, deal_option, since_option
from syncjob.cli.common import all_option, json_option, opened, print_json, who
from syncjob.cli.progress import show_progress
from syncjob.cli.screen import echo
from syncjob.core.reports import RunOptions
from syncjob.errors import Exit, WrongFile
from syncjob.signals import StopFlag

if TYPE_CHECKING:
    from syncjob.core.plan_file import PlanFile
    from syncjob.core.reports import PlanReport

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("plan")
@deal_option
@creates_option
@since_option
@click.option("--why", is_flag=True, help="Show which rule decided what.")
@click.option(
    "-o", "--output", type=_FILE, metavar="PLAN.json", help="Write the plan, for `syncjob apply`."
)
@click.option("--html", type=_FILE, metavar="FILE", help="Write the plan as a page to look at.")
@all_option
@json_option
@click.pass_context
def plan_command(
    ctx: click.Context,
    deal: str | None,
    max_creates: int | None,
    since: datetime | None,
    why: bool,
    output: Path | None,
    html: Path | None,
    every: bool,
    as_json: bool,
) -> int:
    """Show what a batch would do and why: each write with its reason, before and after.

    Nothing is written on either side and no cursor moves. With -o the plan becomes a file that
    `syncjob apply` does later, exactly as it was shown.
    """
    with opened(ctx) as (_, handle), StopFlag() as stop, show_progress(quiet=as_json) as seen:
        report = handle.plan(
            RunOptions(
                deal=deal,
                max_creates=max_creates,
                since=as_day(since),
                dry_run=True,
                who=who(),
                progress=seen,
                waiting=seen.waiting,
                should_stop=stop,
            )
        )
    _write(report, output, html)
    if as_json:
        print_json(report)
    else:
        _show(report, output, html, every=every, why=why)
    if report.guard:
        return Exit.GUARD
    return Exit.ISSUES if any(issue.state == "held" for issue in report.issues) else Exit.DONE


def _write(report: PlanReport, output: Path | None, html: Path | None) -> None:
    if output is not None:
        from syncjob.core.plan_file import write_plan

        _replace(output, write_plan(report, __version__))
    if html is not None:
        from syncjob.reports.plan_page import plan_page

        assert report.origin is not None
        _replace(html, plan_page(report, at=report.origin.made_at.astimezone()))


def _show(
    report: PlanReport, output: Path | None, html: Path | None, *, every: bool, why: bool
) -> None:
    from syncjob.reports.plan_show import show_plan
    from syncjob.reports.terminal import console

    show_plan(console(sys.stdout), report, every=every, why=why)
    if html is not None:
        echo(f"The page: {html}")
    if output is not None:
        accept = f" --accept {report.hash}" if report.guard else ""
        echo(f"The plan: {output}. To do exactly that: syncjob apply {output}{accept}")


def _replace(path: Path, text: str) -> None:
    """Write a file of mode 0600 whole or not at all: it names customers. Raises WrongFile."""
    from syncjob.state.files import replace_private

    try:
        replace_private(path, text.encode())
    except OSError as error:
        raise WrongFile(
            f"The file cannot be written ({error.strerror}).",
            where=str(path),
            next_step="Name a file in a folder that you may write to.",
        ) from None


@click.command("apply")
@click.argument("plan", type=_FILE, metavar="PLAN.json")
@click.option("--accept", metavar="HASH", help="Release this plan from the guard.")
@click.option("--reason", default="", help="Why; kept in the audit.")
@all_option
@json_option
@click.pass_context
def apply_command(
    ctx: click.Context, plan: Path, accept: str | None, reason: str, every: bool, as_json: bool
) -> int:
    """Do exactly what a plan file says, and skip what has changed since.

    Both sides are read and everything is decided anew. What is still as the file shows it is
    written; what is not is skipped with an issue and left to the next batch; nothing is added.
    """
    file = _read(plan)
    with opened(ctx) as (_, handle), StopFlag() as stop, show_progress(quiet=as_json) as seen:
        report = handle.apply(
            file,
            str(plan),
            RunOptions(
                accept=accept,
                who=who(),
                reason=reason,
                progress=seen,
                waiting=seen.waiting,
                should_stop=stop,
            ),
        )
    if as_json:
        print_json(report)
    else:
        from syncjob.reports.plan_show import show_applied
        from syncjob.reports.terminal import console

        show_applied(console(sys.stdout), report, every=every)
    return report.exit_code


def _read(path: Path) -> PlanFile:
    """The plan in this file. Raises WrongPlan, WrongFile."""
    from syncjob.core.plan_file import read_plan

    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        text = ""
    except OSError as error:
        raise WrongFile(
            f"The plan cannot be read ({error.strerror}).",
            where=str(path),
            next_step="Name the file that `syncjob plan -o FILE` wrote.",
        ) from None
    return read_plan(text, str(path), __version__)
