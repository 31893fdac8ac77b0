"""`undo`: the values that a batch wrote, put back where nobody has changed them since."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from syncjob.cli.common import all_option, confirmed, json_option, opened, print_json, who
from syncjob.cli.credit import waiting
from syncjob.cli.screen import echo
from syncjob.errors import Exit

if TYPE_CHECKING:
    from syncjob.core.undoing import UndoReport


@click.command("undo")
@click.argument("batch", type=click.IntRange(min=1), metavar="BATCH")
@click.option("--plan", "plan_only", is_flag=True, help="Show it and write nothing.")
@click.option("--deal", metavar="ID", help="Of this deal alone.")
@click.option("--contact", metavar="ID", help="Of this customer alone: org:12, or the ledger's id.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--accept", metavar="HASH", help="Release exactly this undo, however large it is.")
@click.option("--reason", default="", help="Why; kept in the audit.")
@all_option
@json_option
@click.pass_context
def undo_command(
    ctx: click.Context,
    batch: int,
    plan_only: bool,
    deal: str | None,
    contact: str | None,
    yes: bool,
    accept: str | None,
    reason: str,
    every: bool,
    as_json: bool,
) -> int:
    """Take back what a batch wrote; `syncjob history RECORD` names the batch of each write.

    Values of contacts on either side and moves of deals go back to what stood there, where
    nobody has changed them since. What somebody touched stays; what cannot be undone is listed
    with what to do instead. What is put back rests until somebody changes it, and an undo is a
    batch that can be undone in turn.
    """
    if deal and contact:
        raise click.UsageError("give --deal or --contact, not both")
    subject = _subject(deal, contact)
    with opened(ctx) as (_, handle):
        from syncjob.engine.undoing import Asked

        asked = Asked(batch=batch, subject=subject, reason=reason)
        seen = waiting(lambda: handle.undo(asked, write=False, who=who()))
        nothing = not seen.count("undo")
        if not as_json:
            _show(seen, every=every)
        if plan_only or nothing:
            return _end(seen, as_json=as_json)
        if not confirmed("Put these values back?", yes=yes or accept is not None):
            echo("Nothing was undone.", err=True)
            return Exit.DONE
        meant = Asked(batch=batch, subject=subject, reason=reason, expect=seen.hash, accept=accept)
        done = waiting(lambda: handle.undo(meant, write=True, who=who()))
    return _end(done, as_json=as_json, every=every)


def _subject(deal: str | None, contact: str | None) -> str | None:
    if deal:
        return f"deal:{deal.removeprefix('deal:')}"
    return f"contact:{contact.removeprefix('contact:')}" if contact else None


def _show(report: UndoReport, *, every: bool) -> None:
    from syncjob.reports.undoing import undo_lines, undo_sentence

    for line in undo_lines(report, every=every):
        echo(line)
    echo(undo_sentence(report))


def _end(report: UndoReport, *, as_json: bool, every: bool = False) -> int:
    """Exit code 1 where something that was to be put back was not."""
    if as_json:
        print_json(report)
    elif report.written:
        _show(report, every=every)
        echo(f"`syncjob undo {report.batch}` would take this back again.")
    sys.stdout.flush()
    return Exit.ISSUES if report.count("open") else Exit.DONE
