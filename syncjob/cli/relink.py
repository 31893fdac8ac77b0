"""`relink`: the connection goes over to another CRM account, and keeps its links."""

from __future__ import annotations

from pathlib import Path

import click

from syncjob.cli.common import confirmed, json_option, opened, print_json, reason_or_ask, who
from syncjob.cli.credit import waiting
from syncjob.cli.screen import echo
from syncjob.core.relink import RelinkReport
from syncjob.errors import Exit, WrongFile


@click.command("relink")
@click.option(
    "--map", "files", multiple=True, required=True, metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False), help="CSV with the columns kind, old, new.",
)  # fmt: skip
@click.option("--plan", "plan_only", is_flag=True, help="Show what it comes to; change nothing.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--reason", default="", help="Why; kept with your name.")
@json_option
@click.pass_context
def relink_command(
    ctx: click.Context, files: tuple[Path, ...], plan_only: bool, yes: bool, reason: str,
    as_json: bool,
) -> int:  # fmt: skip
    """Keep the links when the firm changes its CRM, or moves to another account of it.

    First put the new CRM into the config, with a new connection.code; the command says what else
    is missing. The map says which old deal, organization or person is which new one, by id or by
    the address of its page. It can be repeated with a fuller map. Nothing is written in the CRM or
    the ledger; the next batches do that, under the guard.
    """
    with opened(ctx) as (config, handle):
        from syncjob.reports.relink import relink_lines
        from syncjob.reports.relink_csv import map_lines, read_map

        rows, refused = [], []
        for file in files:
            found, unread = read_map(_bytes(file), str(file), vendor=config.crm.type)
            rows += found
            refused += unread

        def done(*, write: bool) -> RelinkReport:
            return waiting(
                lambda: handle.relink(
                    rows, refused, write=write, who=who(), reason=reason, copy=map_lines
                )
            )

        seen = done(write=False)
        if not as_json:
            _show(relink_lines(seen))
        if plan_only or not (seen.rows or seen.first or seen.again):
            return _end(seen, as_json=as_json)
        if not confirmed(f"Go over to {seen.account}, and take these rows?", yes=yes):
            echo("Nothing was changed.", err=True)
            return Exit.ISSUES
        reason = reason_or_ask(reason)
        seen = done(write=True)
        if not as_json:
            _show(relink_lines(seen))
    return _end(seen, as_json=as_json)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise WrongFile(
            f"The map cannot be read ({error.strerror}).", where=str(file),
            next_step="Name the CSV file with the columns kind, old and new.",
        ) from None  # fmt: skip


def _show(lines: list[str]) -> None:
    for line in lines:
        echo(line)


def _end(report: RelinkReport, *, as_json: bool) -> int:
    """Exit code 1 where rows were refused, or invoices have no place in the new CRM."""
    if as_json:
        print_json(report)
    return Exit.ISSUES if report.refused or report.without_count else Exit.DONE
