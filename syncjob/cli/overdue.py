"""`overdue` and `mute`: what customers owe past its day, and whom nobody is reminded of."""

from __future__ import annotations

import sys
from datetime import datetime

import click

from syncjob.cli.common import json_option, opened, print_json, who
from syncjob.cli.screen import echo
from syncjob.cli.values import Day
from syncjob.errors import Exit


@click.command("overdue")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV for a spreadsheet.")
@json_option
@click.pass_context
def overdue_command(ctx: click.Context, as_csv: bool, as_json: bool) -> int:
    """List what is overdue, by age and owner, as of the last batch; no call to a vendor."""
    from syncjob.reports.aging import overdue_csv, show_overdue
    from syncjob.reports.terminal import console

    with opened(ctx) as (_, handle):
        report = handle.overdue()
    if as_json:
        print_json(report)
    elif as_csv:
        click.echo(overdue_csv(report), nl=False)
    else:
        show_overdue(console(sys.stdout), report)
    return Exit.DONE


@click.command("mute")
@click.argument("deal", metavar="DEAL")
@click.option("--until", type=Day(), help="Remind again from this day on.")
@click.option("--off", is_flag=True, help="Remind again from now on.")
@click.option("--reason", default="", help="Why; kept in the audit.")
@click.pass_context
def mute_command(
    ctx: click.Context, deal: str, until: datetime | None, off: bool, reason: str
) -> int:
    """Remind nobody of a deal's invoices: it is disputed, say. The flag on the deal stays true."""
    if off and until is not None:
        raise click.UsageError("give --until or --off, not both")
    number = deal.removeprefix("deal:")
    day = until.date().isoformat() if until else ""
    kind = "unmute" if off else f"mute:{day}"
    with opened(ctx) as (_, handle):
        handle.answer(kind=kind, subject=f"deal:{number}", who=who(), reason=reason)
    if off:
        echo(f"Noted: people are reminded of deal {number} again.")
    else:
        echo(f"Noted: nobody is reminded of deal {number}{f' until {day}' if day else ''}.")
    echo("The next batch heeds it.")
    return Exit.DONE
