"""`reconcile`: both sides read in full, compared, and what is wrong mended or told."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from syncjob.cli.common import all_option, json_option, opened, print_json, who
from syncjob.cli.progress import show_progress
from syncjob.cli.values import Day
from syncjob.core.reconcile import ReconcileOptions, ReconcileReport
from syncjob.errors import Exit, StateError
from syncjob.signals import StopFlag


@click.command("reconcile")
@click.option(
    "--repair/--report-only",
    default=True,
    show_default=True,
    help="Correct what is known and queue what follows for the next batch, or only look.",
)
@click.option("--since", type=Day(), help="Read only what changed since this day.")
@click.option("--last", is_flag=True, help="Show what the last one found, without any call.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write JSON here."
)
@all_option
@json_option
@click.pass_context
def reconcile_command(
    ctx: click.Context,
    repair: bool,
    since: datetime | None,
    last: bool,
    output: Path | None,
    every: bool,
    as_json: bool,
) -> int:
    """Read both sides in full and find what polling missed or people broke, with counts.

    Nothing is written at a vendor: the next batch mends what can be mended, the rest is an issue.
    It keeps to its share of the calls and goes on where it stopped. Exit code 0: nothing found.
    """
    if last and (since or not repair):
        raise click.UsageError("--last shows a report; it takes neither --since nor --report-only")
    with opened(ctx) as (_, handle), StopFlag() as stop, show_progress(quiet=as_json) as progress:
        report = (
            handle.last_reconcile()
            if last
            else handle.reconcile(
                ReconcileOptions(
                    repair=repair,
                    since=since.date() if since else None,
                    who=who(),
                    progress=progress,
                    waiting=progress.waiting,
                    should_stop=stop,
                )
            )
        )
    if output is not None:
        _write(output, report)
    if as_json:
        print_json(report)
    else:
        from syncjob.reports.reconcile import show_reconcile
        from syncjob.reports.terminal import console

        show_reconcile(console(sys.stdout), report, every=every)
    if report.found:
        return Exit.ISSUES
    return Exit.DONE if report.complete else Exit.UNREACHABLE


def _write(path: Path, report: ReconcileReport) -> None:
    """The report as a file of mode 0600, over an older one. Raises StateError."""
    import msgspec

    from syncjob.state.files import replace_private

    body = msgspec.json.format(msgspec.json.encode(report), indent=2)
    try:
        replace_private(path, body + b"\n")
    except OSError as error:
        raise StateError(
            f"The report cannot be written ({error.strerror}).",
            where=str(path),
            next_step="Choose another place for -o.",
        ) from None
