"""`pause` and `resume`: stop writing, look at what has piled up, go on."""

from __future__ import annotations

import re
import sys
from datetime import datetime, timedelta
from typing import cast, get_args

import click

from syncjob.cli.common import confirmed, json_option, opened, print_json, who
from syncjob.cli.progress import show_progress
from syncjob.cli.screen import echo
from syncjob.cli.values import Said
from syncjob.clock import SystemClock
from syncjob.core.reports import PauseKind, ResumeReport, RunOptions
from syncjob.errors import Exit

_SPAN = re.compile(r"(\d{1,5})\s*(m|h|d)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}

_only = click.option(
    "--only",
    type=click.Choice([kind for kind in get_args(PauseKind) if kind != "all"]),
    help="This kind of write only.",
)


class Moment(click.ParamType[datetime]):
    """A moment to come: 2h, 3d, 2026-08-01, or 2026-08-01T09:00, in this machine's zone."""

    name = "when"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        span = _SPAN.fullmatch(value.strip().lower())
        now = SystemClock().now()
        if span:
            return now + timedelta(**{_UNITS[span[2]]: int(span[1])})
        try:
            moment = datetime.fromisoformat(value).astimezone()
        except (ValueError, OverflowError):
            self.fail("write 2h, 3d, 2026-08-01 or 2026-08-01T09:00", param, ctx)
        if moment <= now:
            self.fail("that moment is past", param, ctx)
        return moment


@click.command("pause")
@_only
@click.option("--until", type=Moment(), help="2h, 3d, 2026-08-01, 2026-08-01T09:00.")
@click.option(
    "--reason", required=True, type=Said(), help="Why; shown by status and kept in the audit."
)
@json_option
@click.pass_context
def pause_command(
    ctx: click.Context, only: str | None, until: datetime | None, reason: str, as_json: bool
) -> int:
    """Stop writing, or one kind of it; reading goes on and deals keep their place.

    A file named STOP beside the state does the same for all writes, with no command at hand.
    """
    kind = cast("PauseKind", only or "all")
    with opened(ctx) as (_, handle):
        paused = handle.pause(only=kind, until=until, reason=reason, who=who())
    if as_json:
        print_json(paused)
    else:
        from syncjob.reports.terminal import pauses

        echo(f"Paused: {next(iter(pauses([paused], stop_file=False)))}")
    return Exit.DONE


@click.command("resume")
@_only
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_context
def resume_command(ctx: click.Context, only: str | None, yes: bool, as_json: bool) -> int:
    """Show the plan of what has piled up, then write again.

    With --json it ends the pause only with --yes, and prints the plan and what was ended.
    """
    from syncjob.reports.plan_show import show_plan
    from syncjob.reports.terminal import console, pauses

    kind = cast("PauseKind", only or "all")
    with opened(ctx) as (_, handle):
        with show_progress(quiet=as_json) as seen:
            plan = handle.plan(
                RunOptions(dry_run=True, who=who(), progress=seen, waiting=seen.waiting)
            )
        if not as_json:
            show_plan(console(sys.stdout), plan)
        if not (yes if as_json else confirmed("Write again from the next batch on?", yes=yes)):
            if as_json:
                print_json(ResumeReport(plan=plan))
            return Exit.PAUSED
        stopped = handle.status().stop_file
        ended = handle.resume(only=kind, who=who())
    if as_json:
        print_json(ResumeReport(plan=plan, ended=tuple(ended), stop_file=stopped))
        return Exit.DONE
    for text in pauses(ended, stop_file=False):
        echo(f"Ended: {text}")
    if stopped:
        echo("A file named STOP beside the state still stops all writes: delete it.")
    elif not ended:
        echo("There was no such pause.")
    return Exit.DONE
