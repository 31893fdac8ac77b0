"""`run`: one batch now, with the options that a plan shares."""

from __future__ import annotations

import sys
from datetime import date, datetime

import click

from syncjob.cli.common import (
    all_option,
    json_option,
    opened_to_run,
    print_json,
    reason_or_ask,
    who,
)
from syncjob.cli.progress import show_progress
from syncjob.cli.values import Day
from syncjob.core.reports import BatchReport, RunOptions
from syncjob.errors import Exit
from syncjob.signals import StopFlag

_DAY = Day()

deal_option = click.option("--deal", metavar="ID", help="This deal only; cursors stay.")
creates_option = click.option(
    "--max-creates", type=click.IntRange(min=0), help="At most so many new invoices."
)
since_option = click.option(
    "--since", type=_DAY, help="Read again what changed since this day (never moves won_since)."
)


@click.command("run")
@deal_option
@creates_option
@since_option
@click.option("--accept", metavar="HASH", help="Release the plan with this hash from the guard.")
@click.option("--reason", default="", help="With --accept: why; kept with your name.")
@click.option("--now", "at_once", is_flag=True, help="Outside the office hours, too.")
@click.option("-q", "--quiet", is_flag=True, help="Print only what stops the batch (for cron).")
@all_option
@json_option
@click.pass_context
def run_command(
    ctx: click.Context,
    deal: str | None,
    max_creates: int | None,
    since: datetime | None,
    accept: str | None,
    reason: str,
    quiet: bool,
    every: bool,
    at_once: bool,
    as_json: bool,
) -> int:
    """Run one batch now, and end with a table of what it did.

    Without a terminal nothing is printed when nothing was done and nothing needs a person. Outside
    the office hours of the config only those batches run that are due then.
    """
    if reason and not accept:
        raise click.UsageError("--reason goes with --accept")
    if accept and not (quiet or as_json):
        reason = reason_or_ask(reason)
    with (
        opened_to_run(ctx, trial=deal is not None) as (handle, ended),
        StopFlag() as stop,
        show_progress(quiet=quiet or as_json) as seen,
    ):
        report = handle.run(
            RunOptions(
                deal=deal,
                max_creates=max_creates,
                since=as_day(since),
                accept=accept,
                now=at_once,
                who=who(),
                reason=reason,
                progress=seen,
                waiting=seen.waiting,
                should_stop=stop,
            )
        )
        ended(_news(report))
    if as_json:
        print_json(report)
    elif _worth_showing(report, quiet=quiet):
        from syncjob.reports.terminal import console, show_batch

        show_batch(console(sys.stdout), report, every=every)
    return report.exit_code


def _news(report: BatchReport) -> int:
    from syncjob.engine.heartbeat import news

    return news(report)


def _worth_showing(report: BatchReport, *, quiet: bool) -> bool:
    """A terminal sees every batch; cron's mail only what was done or must be looked at."""
    if quiet:
        return report.exit_code not in (Exit.DONE, Exit.ISSUES)
    if report.result == "outside_hours":
        return sys.stdout.isatty()
    known = report.exit_code in (Exit.DONE, Exit.ISSUES) and not report.stopped_by
    nothing = known and not (report.rows or report.new_issues or report.waits)
    return sys.stdout.isatty() or not nothing


def as_day(instant: datetime | None) -> date | None:
    """The day of an option like --since."""
    return instant.date() if instant else None
