"""`cancel`: a deal's own untouched draft is deleted by status, and the deal held."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from syncjob.cli.common import confirmed, json_option, opened, print_json, who
from syncjob.cli.credit import waiting
from syncjob.cli.screen import echo
from syncjob.cli.values import Said
from syncjob.errors import Exit

if TYPE_CHECKING:
    from syncjob.core.cancelling import CancelReport


@click.command("cancel")
@click.argument("deal", metavar="DEAL")
@click.option(
    "--reason", required=True, type=Said(), help="Why; shown on the deal and kept in the audit."
)
@click.option("--plan", "plan_only", is_flag=True, help="Show it and write nothing.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@json_option
@click.pass_context
def cancel_command(
    ctx: click.Context, deal: str, reason: str, plan_only: bool, yes: bool, as_json: bool
) -> int:
    """Delete a deal's own drafts that nobody has touched: its invoice, those of its parts, its
    repeating invoice.

    They are deleted by status, as a person would in the ledger; what is approved is left alone,
    and what somebody changed is theirs. The deal is then held, and not invoiced again until
    `syncjob reissue DEAL`.
    """
    deal = deal.removeprefix("deal:")
    with opened(ctx) as (_, handle):
        seen = waiting(lambda: handle.cancel(deal, reason=reason, write=False, who=who()))
        if not as_json:
            _show(seen)
        if plan_only or not seen.count("delete"):
            return _end(seen, as_json=as_json)
        if not confirmed("Delete what is named above?", yes=yes):
            echo("Nothing was cancelled.", err=True)
            return Exit.DONE
        done = waiting(lambda: handle.cancel(deal, reason=reason, write=True, who=who()))
    if not as_json:
        _show(done)
    return _end(done, as_json=as_json)


def _show(report: CancelReport) -> None:
    from syncjob.reports.cancelling import cancel_lines

    for line in cancel_lines(report):
        echo(line)


def _end(report: CancelReport, *, as_json: bool) -> int:
    """Exit code 1 where something stays that the deal still has."""
    if as_json:
        print_json(report)
    sys.stdout.flush()
    return Exit.ISSUES if report.count("stays") + report.count("open") else Exit.DONE
